// Calls functions of the ballot module for a test: JSON in, JSON out, bytes as {"hex": …},
// numbers of any size as {"number": "…"} in hex.
import { webcrypto } from "node:crypto";
import { pathToFileURL } from "node:url";

globalThis.crypto ??= webcrypto; // Node 18 has it, but not under this name.
const module = await import(pathToFileURL(process.argv[2]));

const given = (value) => {
  if (Array.isArray(value)) return value.map(given);
  if (value === null || typeof value !== "object") return value;
  if (Object.keys(value).join() === "hex") return module.fromHex(value.hex);
  if (Object.keys(value).join() === "number") return BigInt(`0x${value.number}`);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, given(one)]));
};
const taken = (value) => {
  if (value instanceof Uint8Array) return { hex: module.toHex(value) };
  if (typeof value === "bigint") return { number: value.toString(16) };
  if (Array.isArray(value)) return value.map(taken);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, taken(one)]));
};

let text = "";
for await (const chunk of process.stdin) text += chunk;
const answers = [];
for (const [name, ...inputs] of JSON.parse(text)) {
  try {
    const one = module[name];
    answers.push({ value: taken(typeof one === "function" ? await one(...given(inputs)) : one) });
  } catch (error) {
    if (!(error instanceof module.VotingError)) throw error;
    answers.push({ refused: error.message });
  }
}
process.stdout.write(JSON.stringify(answers));
