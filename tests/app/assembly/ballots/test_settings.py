"""How many ballots go in together is set, but in production never so few that nobody is hidden."""

import pytest

from app.settings import LEAST_BALLOT_BATCH, Profile, SettingsError, load_settings


def test_production_refuses_batches_that_hide_nobody() -> None:
    enough = load_settings(profile=Profile.PRODUCTION, ballot_batch=LEAST_BALLOT_BATCH)

    with pytest.raises(SettingsError, match="MEENT_BALLOT_BATCH"):
        load_settings(profile=Profile.PRODUCTION, ballot_batch=LEAST_BALLOT_BATCH - 1)

    assert enough.ballot_batch == LEAST_BALLOT_BATCH
    assert load_settings(ballot_batch=1).ballot_batch == 1
    assert load_settings(profile=Profile.PRODUCTION).ballot_batch == 200


def test_mirrors_are_a_list_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEENT_BALLOT_MIRRORS", "/mnt/auditors, /mnt/sister")

    assert load_settings().ballot_mirrors == ("/mnt/auditors", "/mnt/sister")
