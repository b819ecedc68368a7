/*
 * A member's secret ballot, made on the member's own device: one module for a web page, for Node
 * and for whoever wants to read it. It needs WebCrypto with Ed25519 and nothing else.
 *
 * What it gives is what governance/ makes, byte for byte. What it cannot do: a page that the
 * cooperative serves can be changed by the cooperative. Compare this file's SHA-256 with the one
 * that `meent vote module-hash` prints, keep your own copy, or vote by `meent vote` itself.
 *
 * Bytes are Uint8Array, numbers beyond 2^53 are BigInt, keys and hashes inside documents are hex.
 * WORDS, the list of 2,048 words, stands at the end of the module as it is served.
 */

const PREFIX_BYTES = 32;
const SALT_BYTES = 48;
const HASH_BYTES = 48; // SHA-384
const ENTROPY_BYTES = 16;
const PUBLIC_EXPONENT = 65537n;
// A draw so much longer than the modulus leaves no bias in the remainder that anyone could find.
const SPARE_BYTES = 16;
// The fixed head of an Ed25519 private key in PKCS #8 (RFC 8410): WebCrypto takes no bare seed.
const PKCS8_HEAD = fromHex("302e020100300506032b657004220420");

/** What a member can do something about, or what somebody else did wrong: say it as it is. */
export class VotingError extends Error {}

// Bytes, texts, hashes.

export function fromHex(text) {
  if (!/^([0-9a-f]{2})*$/.test(text)) throw new VotingError("not bytes in hex");
  return Uint8Array.from(text.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

export function toHex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** JSON with sorted keys, no spaces: the text that is hashed and signed. Floats are refused. */
export function canonicalText(value) {
  if (typeof value === "number" && !Number.isSafeInteger(value)) {
    throw new VotingError("a canonical document holds whole numbers below 2^53 only");
  }
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value !== null && typeof value === "object") {
    const fields = Object.keys(value).sort(byCodePoint);
    return `{${fields.map((name) => `${JSON.stringify(name)}:${canonicalText(value[name])}`)}}`;
  }
  const text = JSON.stringify(value);
  if (text === undefined) throw new VotingError(`${typeof value} has no place in a document`);
  return text;
}

export const canonical = (value) => bytesOf(canonicalText(value));

export const sha256 = (bytes) => digest("SHA-256", bytes);

export const leafHash = (content) => sha256(joined(Uint8Array.of(0), content));

export const manifestHash = (manifest) => sha256(canonical(manifest));

// The key of one vote, and of a member: sixteen random bytes, or twelve words that hold them.

export const newEntropy = () => crypto.getRandomValues(new Uint8Array(ENTROPY_BYTES));

export async function wordsOf(entropy) {
  const check = (await sha256(entropy))[0] >> 4;
  const number = (toNumber(entropy) << 4n) | BigInt(check);
  const placeOf = (i) => Number((number >> BigInt(121 - 11 * i)) & 2047n);
  return Array.from({ length: 12 }, (_, i) => WORDS[placeOf(i)]);
}

export async function entropyFrom(words) {
  if (words.length !== 12) throw new VotingError(`a key is 12 words, got ${words.length}`);
  let number = 0n;
  words.forEach((word, index) => {
    const place = WORDS.indexOf(word.trim().toLowerCase());
    if (place < 0) throw new VotingError(`word ${index + 1} is not on the list`);
    number = (number << 11n) | BigInt(place);
  });
  const entropy = toBytes(number >> 4n, ENTROPY_BYTES);
  if ((await wordsOf(entropy))[11] !== WORDS[Number(number & 2047n)]) {
    throw new VotingError("the words do not belong together: one is wrong or two are swapped");
  }
  return entropy;
}

export async function publicKey(entropy) {
  const { x } = await subtle().exportKey("jwk", await privateKey(entropy));
  return Uint8Array.from(atob(x.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
}

export async function sign(entropy, message) {
  return new Uint8Array(await subtle().sign("Ed25519", await privateKey(entropy), message));
}

/** Whether the signature is this key's; a malformed key has signed nothing. */
export async function isSignedBy(key, message, signature) {
  try {
    const known = await subtle().importKey("raw", key, "Ed25519", false, ["verify"]);
    return await subtle().verify("Ed25519", known, signature, message);
  } catch (wrong) {
    if (wrong.name === "NotSupportedError") throw noEd25519();
    return false;
  }
}

// Blind signatures: RFC 9474, RSABSSA-SHA384-PSS-Randomized.

/** The encoded message times a random factor; `inverse` never leaves the device (§4.2, Blind). */
export async function blind(prepared, { modulus, salt, factor }) {
  const size = sizeOf(modulus);
  const representative = toNumber(await encodePss(prepared, bitsOf(modulus) - 1, salt));
  if (inverseOf(representative, modulus) === null) throw new VotingError("cannot be blinded");
  const inverse = inverseOf(factor, modulus);
  if (inverse === null) throw new VotingError("cannot be blinded by this factor");
  const hidden = (representative * power(factor, PUBLIC_EXPONENT, modulus)) % modulus;
  return { blinded: toBytes(hidden, size), inverse };
}

/** The signature of the prepared message, unblinded and verified (§4.4, Finalize). */
export async function finalize(prepared, { blindSignature, inverse, modulus, saltBytes }) {
  const size = sizeOf(modulus);
  if (blindSignature.length !== size) throw new VotingError(`a stamp has ${size} bytes`);
  const signature = toBytes((toNumber(blindSignature) * inverse) % modulus, size);
  if (!(await isStamp(prepared, { signature, modulus, saltBytes }))) {
    throw new VotingError("the issuer's answer is no stamp on this request");
  }
  return signature;
}

/** Whether the signature is an RSA-PSS signature of the message, as WebCrypto sees it. */
export async function isStamp(prepared, { signature, modulus, saltBytes = SALT_BYTES }) {
  const n = base64Url(toBytes(modulus, sizeOf(modulus)));
  const kind = { name: "RSA-PSS", hash: "SHA-384" };
  const jwk = { kty: "RSA", n, e: "AQAB" };
  const key = await subtle().importKey("jwk", jwk, kind, false, ["verify"]);
  return subtle().verify({ name: "RSA-PSS", saltLength: saltBytes }, key, signature, prepared);
}

// An election: its terms, its credentials, its ballots.

/**
 * Nothing, if these are the terms that all issuers signed, the roll is the frozen one and the
 * member's pseudonym is on it. Throws what is wrong. `rolls` holds one list for each house.
 */
export async function checkTerms(manifest, { seals, rolls, member, house }) {
  const message = joined(bytesOf("meent-manifest-seal:1"), await manifestHash(manifest));
  const { issuers, houses } = manifest;
  if (issuers.length < 2) throw new VotingError("one issuer alone could make ballots");
  if (new Set(issuers.flatMap(({ moduli }) => moduli)).size !== issuers.length * houses.length) {
    throw new VotingError("two issuers or houses share a key");
  }
  if (seals.length !== issuers.length) throw new VotingError("not every issuer signed the terms");
  for (const [number, issuer] of issuers.entries()) {
    if (!(await isSignedBy(fromHex(issuer.seal_key), message, fromHex(seals[number])))) {
      throw new VotingError(`${issuer.name} did not sign these terms`);
    }
  }
  if (rolls.length !== houses.length) throw new VotingError("a roll is missing");
  for (const [number, roll] of rolls.entries()) {
    const hash = toHex(await sha256(canonical([...roll].sort(byCodePoint))));
    if (hash !== houses[number].roll_hash || roll.length !== houses[number].roll_size) {
      throw new VotingError(`the roll of ${houses[number].name} is not the frozen one`);
    }
  }
  if (!rolls[house]?.includes(member)) throw new VotingError("you are not on the roll");
}

/**
 * What an issuer is asked, and what is kept to finish its answer. Everything random comes from the
 * key's own bytes, so the same words ask for the same stamp again and a lost device loses no vote.
 */
export async function requestCredential(manifest, { entropy, issuer, house }) {
  const modulus = modulusOf(manifest, issuer, house);
  const hash = await manifestHash(manifest);
  const place = joined(twoBytes(issuer), twoBytes(house));
  const length = PREFIX_BYTES + SALT_BYTES + sizeOf(modulus) + SPARE_BYTES;
  const info = joined(bytesOf("meent-credential-request:1"), place);
  const ikm = await subtle().importKey("raw", entropy, "HKDF", false, ["deriveBits"]);
  const kind = { name: "HKDF", hash: "SHA-384", salt: hash, info };
  const drawn = new Uint8Array(await subtle().deriveBits(kind, ikm, 8 * length));
  const salted = PREFIX_BYTES + SALT_BYTES;
  const [prefix, salt] = [drawn.slice(0, PREFIX_BYTES), drawn.slice(PREFIX_BYTES, salted)];
  const factor = (toNumber(drawn.slice(salted)) % (modulus - 1n)) + 1n;
  const domain = bytesOf("meent-credential:1");
  const prepared = joined(prefix, domain, hash, place, await publicKey(entropy));
  return { issuer, house, prepared, ...(await blind(prepared, { modulus, salt, factor })) };
}

/** The body of POST …/stamps, signed by the member's own key, which is on the issuer's roll. */
export async function stampRequest(manifest, { request, memberEntropy, member }) {
  const { blinded, house } = request;
  const parts = [await manifestHash(manifest), twoBytes(house), await sha256(blinded)];
  return {
    house,
    member,
    key: toHex(await publicKey(memberEntropy)),
    blinded: toHex(blinded),
    signature: toHex(await sign(memberEntropy, joined(bytesOf("meent-stamp-request:1"), ...parts))),
  };
}

/** The finished credential; throws where the issuer's stamp is none on this request. */
export async function receiveCredential(manifest, { request, stamp }) {
  const modulus = modulusOf(manifest, request.issuer, request.house);
  const { prepared, inverse } = request;
  const blindSignature = fromHex(stamp);
  const signature = await finalize(prepared, { blindSignature, inverse, modulus });
  return { prefix: toHex(prepared.slice(0, PREFIX_BYTES)), signature: toHex(signature) };
}

/** A ballot as it lies in the box; a later one of the same key needs a higher sequence. */
export async function castBallot(manifest, { entropy, value, credentials, sequence, house }) {
  const unsigned = {
    manifest: toHex(await manifestHash(manifest)),
    house,
    vote_key: toHex(await publicKey(entropy)),
    sequence,
    value,
    credentials,
  };
  const message = joined(bytesOf("meent-ballot:1"), canonical(unsigned));
  return { ...unsigned, signature: toHex(await sign(entropy, message)) };
}

export const leafOf = (ballot) => leafHash(canonical(ballot));

/** Whether the board promises, under these terms, that this very ballot will be in the box. */
export async function isReceipt(receipt, { manifest, ballot }) {
  const same = receipt.leaf === toHex(await leafOf(ballot));
  return same && isOfBoard(receipt, "meent-receipt:1", manifest);
}

/** Whether the board signed this root of the box under these terms. */
export const isRoot = (root, { manifest }) => isOfBoard(root, "meent-root:1", manifest);

// What travels: no cookies, no name, no trace of the page.

/** Send the ballot to the box at this address and return the receipt; safe to repeat. */
export const sendBallot = (url, ballot) => post(url, canonicalText(ballot));

/** Ask the issuer at this address for its stamp; safe to repeat. */
export const askForStamp = async (url, body) => (await post(url, JSON.stringify(body))).stamp;

// The box as a tree (RFC 9162 §2.1.3.2 and §2.1.4.2).

/** Whether the proof shows the leaf at `index` in the tree of `size` leaves. */
export async function isIncluded(leaf, { index, size, proof, root }) {
  if (!(index >= 0 && index < size)) return false;
  let [node, place, last] = [leaf, BigInt(index), BigInt(size - 1)];
  for (const sibling of proof) {
    if (last === 0n) return false;
    if (place & 1n || place === last) {
      node = await nodeHash(sibling, node);
      while (!(place & 1n) && place) [place, last] = [place >> 1n, last >> 1n];
    } else {
      node = await nodeHash(node, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last === 0n && toHex(node) === toHex(root);
}

/** Whether the proof shows that leaves were only appended. */
export async function isConsistent({ oldRoot, oldSize, newRoot, newSize, proof }) {
  if (!(oldSize >= 1 && oldSize <= newSize)) return false;
  if (oldSize === newSize) return proof.length === 0 && toHex(oldRoot) === toHex(newRoot);
  let [place, last] = [BigInt(oldSize), BigInt(newSize)];
  const [first, ...rest] = (place & (place - 1n)) === 0n ? [oldRoot, ...proof] : proof;
  if (first === undefined) return false;
  [place, last] = [place - 1n, last - 1n];
  while (place & 1n) [place, last] = [place >> 1n, last >> 1n];
  let [older, newer] = [first, first];
  for (const sibling of rest) {
    if (last === 0n) return false;
    if (place & 1n || place === last) {
      [older, newer] = [await nodeHash(sibling, older), await nodeHash(sibling, newer)];
      while (!(place & 1n) && place) [place, last] = [place >> 1n, last >> 1n];
    } else {
      newer = await nodeHash(newer, sibling);
    }
    [place, last] = [place >> 1n, last >> 1n];
  }
  return last === 0n && toHex(older) === toHex(oldRoot) && toHex(newer) === toHex(newRoot);
}

// Inside.

function subtle() {
  if (!globalThis.crypto?.subtle) {
    throw new VotingError("no WebCrypto here: open the page over https, or use `meent vote`");
  }
  return globalThis.crypto.subtle;
}

function noEd25519() {
  return new VotingError("this browser signs no Ed25519: take a newer one, or use `meent vote`");
}

async function privateKey(entropy) {
  if (entropy.length !== ENTROPY_BYTES) throw new VotingError(`a key is made from 16 bytes`);
  const seed = await sha256(joined(bytesOf("meent-vote-key:1"), entropy));
  try {
    return await subtle().importKey("pkcs8", joined(PKCS8_HEAD, seed), "Ed25519", true, ["sign"]);
  } catch {
    throw noEd25519();
  }
}

async function isOfBoard(document, domain, manifest) {
  const { signature, ...body } = document;
  if (body.manifest !== toHex(await manifestHash(manifest))) return false;
  const message = joined(bytesOf(domain), canonical(body));
  return isSignedBy(fromHex(manifest.board_key), message, fromHex(signature));
}

async function post(url, body) {
  const how = {
    method: "POST",
    body,
    headers: { "Content-Type": "application/json" },
    credentials: "omit",
    referrerPolicy: "no-referrer",
    cache: "no-store",
    redirect: "error",
    signal: AbortSignal.timeout(20_000),
  };
  let [answer, document] = [];
  try {
    answer = await fetch(url, how);
    document = await answer.json();
  } catch {
    throw new VotingError("no answer: nothing is lost, try again later");
  }
  if (!answer.ok) throw new VotingError(document.detail ?? document.title ?? "refused");
  return document;
}

/** EMSA-PSS-ENCODE with SHA-384 (RFC 8017 §9.1.1). */
async function encodePss(message, bits, salt) {
  const size = Math.ceil(bits / 8);
  const hash = await sha384(joined(new Uint8Array(8), await sha384(message), salt));
  const block = joined(new Uint8Array(size - salt.length - HASH_BYTES - 2), Uint8Array.of(1), salt);
  const masks = [];
  for (let i = 0; i * HASH_BYTES < block.length; i += 1) {
    masks.push(await sha384(joined(hash, Uint8Array.of(0, 0, i >> 8, i & 255))));
  }
  const mask = joined(...masks);
  const masked = block.map((byte, i) => byte ^ mask[i]);
  masked[0] &= 0xff >> (8 * size - bits);
  return joined(masked, hash, Uint8Array.of(0xbc));
}

function power(base, exponent, modulus) {
  let [result, square] = [1n, base % modulus];
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = (result * square) % modulus;
    square = (square * square) % modulus;
  }
  return result;
}

/** The inverse (Euclid's extended algorithm); null for what shares a divisor with the modulus. */
function inverseOf(value, modulus) {
  let [a, b, x, y] = [modulus, value % modulus, 0n, 1n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  if (a !== 1n) return null;
  return x < 0n ? x + modulus : x;
}

const sha384 = (bytes) => digest("SHA-384", bytes);
const nodeHash = (left, right) => sha256(joined(Uint8Array.of(1), left, right));
const bytesOf = (text) => new TextEncoder().encode(text);
const bitsOf = (number) => number.toString(2).length;
const sizeOf = (modulus) => Math.ceil(bitsOf(modulus) / 8);
const toNumber = (bytes) => BigInt(`0x${toHex(bytes) || "0"}`);
const toBytes = (number, size) => fromHex(number.toString(16).padStart(2 * size, "0"));
const twoBytes = (number) => Uint8Array.of(number >> 8, number & 255);
const modulusOf = ({ issuers }, issuer, house) => BigInt(`0x${issuers[issuer].moduli[house]}`);

const digest = async (kind, bytes) => new Uint8Array(await subtle().digest(kind, bytes));

function joined(...parts) {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  parts.reduce((place, part) => (whole.set(part, place), place + part.length), 0);
  return whole;
}

function base64Url(bytes) {
  const text = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return text.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

/** Python sorts by code points, JavaScript by UTF-16 units: beyond U+FFFF they differ. */
function byCodePoint(left, right) {
  const [a, b] = [Array.from(left), Array.from(right)];
  const place = a.findIndex((letter, i) => letter !== b[i]);
  if (place < 0) return a.length - b.length;
  return place >= b.length ? 1 : a[place].codePointAt(0) - b[place].codePointAt(0);
}
