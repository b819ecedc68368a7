"""A member's own client of a vote: keys, stamps, ballots. It speaks public HTTP alone.

The wallet is written before anything is sent, so that a crash at any point loses no vote: the
same request is made again from the same key and gets the same answer.
"""

import asyncio
import hashlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from app.voting.connection import TRIES, Cooperative, OpenHttp, open_http, send, utc_now
from app.voting.errors import FalseTermsError, RefusedError, VotingError
from app.voting.terms import Terms, checked_terms, is_own_line, own_place
from app.voting.wallet import KeptBallot, Vote, Wallet
from governance.ballot_box import ballot_from, cast, check_ballot, is_receipt
from governance.ballot_rule import BALLOT_RULES
from governance.credential import credentials_from, receive_credential, repeatable_request
from governance.manifest import Manifest, canonical, manifest_from
from governance.vote_key import VoteKey, new_vote_key

# The box takes fewer of one key; a wallet restored from words finds the next free number so.
MOST_SEQUENCES = 64
# So long before closing a ballot that waits for its random moment goes in any case.
LAST_MOMENT = timedelta(minutes=5)
_STAMP_DOMAIN = b"meent-stamp-request:1"


@dataclass(frozen=True, slots=True)
class StampedVote:
    """A vote whose stamps are here, with the terms they were given for."""

    terms: Terms
    vote: Vote


class Voter:
    """One member on one device. `keep` writes the wallet and returns when it is on the disk.

    What gets no answer is sent `tries` times in all, with pauses between.
    """

    def __init__(
        self,
        wallet: Wallet,
        *,
        server: str,
        keep: Callable[[Wallet], None] = lambda _: None,
        token: str | None = None,
        open_http: OpenHttp = open_http,
        now: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        tries: int = TRIES,
    ) -> None:
        self.wallet = wallet
        self.open_http = open_http
        self.now = now
        self._keep_wallet = keep
        self._sleep = sleep
        self._tries = tries
        self.cooperative = Cooperative(
            server,
            wallet=wallet,
            keep=self.keep,
            token=token,
            open_http=open_http,
            now=now,
            tries=tries,
        )

    async def keep(self) -> None:
        """The wallet is on the disk as it is now."""
        await asyncio.to_thread(self._keep_wallet, self.wallet)

    async def register_key(self, key: VoteKey | None = None) -> VoteKey:
        """The member key is in the wallet and known to the cooperative.

        It is the one given, else the one that is there already, else a new one.
        """
        if key is not None:
            self.wallet.member_key = key.entropy.hex()
        elif self.wallet.member_key is None:
            self.wallet.member_key = new_vote_key().entropy.hex()
        await self.keep()
        public = self.wallet.key.public.hex()
        await self.cooperative.ask("PUT", "/v1/me/member-key", {"public_key": public})
        return self.wallet.key

    async def list_elections(self) -> list[dict[str, Any]]:
        """The votes there are, newest first, as the cooperative shows them."""
        answer = await self.cooperative.look("/v1/elections")
        return [dict(item) for item in answer["items"]]

    async def fetch_election(self, election: str) -> Terms:
        """The vote's terms, with hash, seals and rolls checked, and as they were seen before.

        Refused (VotingError): no such vote, terms not fixed yet. Refused (FalseTermsError): terms
        that do not hold together, or other ones than this wallet has.
        """
        shown = await self.cooperative.look(f"/v1/elections/{election}")
        if shown.get("manifest") is None:
            raise VotingError("The terms of this vote are not fixed yet. Look again later.")
        published = await self.cooperative.look(f"/v1/elections/{election}/rolls")
        terms = checked_terms(shown, rolls=published["rolls"])
        known = self.wallet.votes.get(election)
        if known is not None and canonical(known.manifest) != canonical(shown["manifest"]):
            raise FalseTermsError("The terms of this vote were changed since you began to vote.")
        return terms

    async def standing(self, election: str) -> dict[str, Any]:
        """Whether the member is on the roll, and which issuers have stamped for them."""
        return dict(await self.cooperative.ask("GET", f"/v1/elections/{election}/me"))

    def is_own_line(self, standing: dict[str, Any]) -> bool:
        """Whether the line that the cooperative shows is this member's, with this wallet's key."""
        key, session = self.wallet.member_key, self.wallet.session
        return is_own_line(
            standing,
            key="" if key is None else self.wallet.key.public.hex(),
            member_id=None if session is None else session.member_id,
        )

    async def get_credentials(self, election: str, *, key: VoteKey | None = None) -> StampedVote:
        """Every issuer's stamp is in the wallet; call it again after whatever went wrong.

        `key` is a vote's key restored from its words. Refused (VotingError): not on the roll, no
        member key, an issuer that refuses or gives no true stamp, a stamp that was given in the
        member's name to another key.
        """
        terms = await self.fetch_election(election)
        vote = self.wallet.votes.get(election)
        if vote is None:
            standing = await self.standing(election)
            if not standing["on_roll"]:
                register = await self.cooperative.ask("GET", "/v1/me/membership")
                told = f"You are not on the roll of this vote. {register['in_words']}"
                raise VotingError(told)
            house_no, member = own_place(terms, standing)
            if not self.is_own_line(standing):
                raise FalseTermsError(f"Your line is not yours alone, or {_ANOTHER_KEY}")
            entropy = (key or new_vote_key()).entropy.hex()
            missing: list[dict[str, str] | None] = [None] * len(terms.issuers)
            document = json.loads(canonical(terms.manifest.document()))
            vote = Vote(document, house_no, member, entropy, missing)
            self.wallet.votes[election] = vote
            await self.keep()
        elif key is not None and key.entropy.hex() != vote.entropy:
            raise VotingError("This wallet has another key for this vote already.")
        for issuer_no, credential in enumerate(vote.credentials):
            if credential is None:
                vote.credentials[issuer_no] = await self._stamp(
                    terms, vote=vote, issuer_no=issuer_no, member_key=self.wallet.key
                )
                await self.keep()
        return StampedVote(terms, vote)

    async def cast(
        self, election: str, value: Any, *, at_random_within: timedelta = timedelta(0)
    ) -> dict[str, Any]:
        """The ballot is accepted: return the board's receipt; a ballot cast before is replaced.

        A ballot that was made and perhaps not sent is sent again as it was. With
        `at_random_within` it goes at a random moment of that time, at the latest shortly before
        the vote closes. Refused (VotingError): stamps missing, a value the rule does not take, a
        box that refuses, a receipt that is not the board's.
        """
        vote = self.wallet.votes.get(election)
        if vote is None or not vote.is_stamped:
            raise VotingError("The stamps for this vote are not here yet.")
        manifest = manifest_from(vote.manifest)
        if not BALLOT_RULES[manifest.rule].admits(value, manifest.parameters):
            raise VotingError("The rule of this vote does not take this value.")
        kept = vote.ballots[-1] if vote.ballots else None
        if kept is None or kept.receipt is not None or kept.document["value"] != value:
            kept = _make_ballot(vote, manifest=manifest, value=value)
            await self.keep()
        if at_random_within:
            await self._sleep(self._pause_s(manifest, at_random_within))
        for _ in range(MOST_SEQUENCES):
            try:
                receipt = await self.cooperative.give(
                    f"/v1/elections/{election}/ballots", kept.document
                )
                break
            except RefusedError as refused:
                if refused.slug != "ballot-sequence-taken":
                    raise
                # A wallet that came from words does not know which numbers its key has used.
                vote.ballots.remove(kept)
                kept = _make_ballot(
                    vote, manifest=manifest, value=value, after=kept.document["sequence"]
                )
                await self.keep()
        else:
            raise VotingError("Too many ballots were cast with this key already.")
        leaf = ballot_from(kept.document).leaf().hex()
        if not is_receipt(receipt, manifest=manifest) or receipt["leaf"] != leaf:
            raise FalseTermsError("The box gave no true receipt: your ballot may not be counted.")
        kept.receipt = receipt
        await self.keep()
        return dict(receipt)

    async def revote(self, election: str, value: Any) -> dict[str, Any]:
        """The newer ballot counts. Refused (VotingError): none was cast before."""
        vote = self.wallet.votes.get(election)
        if vote is None or not any(ballot.receipt for ballot in vote.ballots):
            raise VotingError("You have not voted here yet: meent vote cast")
        return await self.cast(election, value)

    def _pause_s(self, manifest: Manifest, within: timedelta) -> float:
        """A random part of the time there is, in seconds."""
        left = manifest.closes_at - LAST_MOMENT - self.now()
        longest_s = max(0.0, min(within, left).total_seconds())
        return secrets.SystemRandom().uniform(0, longest_s)

    async def _stamp(
        self, terms: Terms, *, vote: Vote, issuer_no: int, member_key: VoteKey
    ) -> dict[str, str]:
        """Ask one issuer and return the finished credential; asked again, it is the same one."""
        issuer = terms.issuers[issuer_no]
        request = repeatable_request(
            terms.manifest, key=vote.key, issuer_no=issuer_no, house_no=vote.house_no
        )
        place, digest = vote.house_no.to_bytes(2), hashlib.sha256(request.blinded).digest()
        message = _STAMP_DOMAIN + terms.manifest.hash() + place + digest
        asked = {
            "house": vote.house_no,
            "member": vote.member,
            "key": member_key.public.hex(),
            "blinded": request.blinded.hex(),
            "signature": member_key.sign(message).hex(),
        }
        url = f"{issuer.url.rstrip('/')}/v1/votes/{terms.election}/stamps"
        try:
            answer = await send(self.open_http, "POST", url, body=asked, tries=self._tries)
            credential = receive_credential(
                terms.manifest, request=request, answer=bytes.fromhex(answer["stamp"])
            )
        except RefusedError as refused:
            told = _ISSUER_WORDS.get(refused.slug, str(refused))
            raise VotingError(f"{issuer.name} gives no stamp: {told}") from refused
        except (KeyError, TypeError, ValueError) as wrong:
            raise FalseTermsError(f"{issuer.name} gave something that is no stamp.") from wrong
        return credential.document()


def _make_ballot(
    vote: Vote, *, manifest: Manifest, value: Any, after: int | None = None
) -> KeptBallot:
    """A new ballot stands last in the wallet's vote, with the next sequence number."""
    used = [ballot.document["sequence"] for ballot in vote.ballots]
    sequence = max(used if after is None else [*used, after], default=-1) + 1
    stamps = [credential for credential in vote.credentials if credential is not None]
    ballot = cast(
        manifest,
        key=vote.key,
        value=value,
        credentials=credentials_from(stamps),
        sequence=sequence,
        house_no=vote.house_no,
    )
    check_ballot(ballot, manifest=manifest)
    kept = KeptBallot(ballot.document())
    vote.ballots.append(kept)
    return kept


_ANOTHER_KEY = (
    "the roll holds another member key of yours than this wallet. Take back the old one by"
    " its twelve words: meent vote key --words"
)
_ISSUER_WORDS = {
    "already-stamped": (
        "one was given in your name to another key. If you have that vote's twelve words:"
        " meent vote restore. If you never asked for it, tell the auditors."
    ),
    "bad-signature": _ANOTHER_KEY,
    "not-on-the-roll": "you are not on its roll.",
    "membership-ended": "your membership has ended.",
    "vote-closed": "the vote is closed.",
    "unknown-vote": "it does not know this vote yet. Try again in a minute.",
}
