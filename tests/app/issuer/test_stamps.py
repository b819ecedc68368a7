"""Promises about stamps: one for a member, blind, and the same again however often it is asked."""

from governance.blind_signature import verify
from governance.credential import is_credential, receive_credential
from governance.vote_key import new_vote_key
from tests.app.issuer.conftest import Vote
from tests.issuers import ask_stamp


async def test_stamps_of_all_issuers_make_a_key_that_may_vote(vote: Vote) -> None:
    person, key = vote.members[0], new_vote_key()
    for number, issuer in enumerate(vote.issuers):
        request, body = person.ask(vote.manifest, issuer_no=number, vote_key=key)

        answer = await ask_stamp(issuer, vote.manifest, body)

        stamp = bytes.fromhex(answer.json()["stamp"])
        credential = receive_credential(vote.manifest, request=request, answer=stamp)
        assert is_credential(
            vote.manifest, credential=credential, vote_key=key.public, issuer_no=number
        )
