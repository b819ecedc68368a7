"""Messages reach the file or the log, and who asked learns when they reached nobody."""

from pathlib import Path

import httpx
import pytest
import structlog

from app.members.sms import LogSms, SmsSender, send_sms
from app.settings import Settings
from tests.app.members.phone import Phone


async def test_the_log_gets_the_text_says_that_nothing_was_sent_and_hides_the_number() -> None:
    sender: SmsSender = LogSms()
    with structlog.testing.capture_logs() as events:
        await send_sms(sender, phone="+4232345678", text="123456 is your code")

    assert events[0]["text"] == "123456 is your code"
    assert "no SMS left the house" in events[0]["why"]
    assert events[0]["number_ends_with"] == "78"
    assert "345678" not in str(events)


async def test_only_their_owner_reads_the_messages_in_the_file(
    phone: Phone, settings: Settings
) -> None:
    await phone.challenge()
    assert phone.texts()[0].keys() == {"to", "text", "at"}
    assert settings.sms_file is not None
    assert settings.sms_file.stat().st_mode & 0o777 == 0o600


class TestWithoutASender:
    """The file of messages cannot be written."""

    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        return settings.model_copy(update={"sms_file": tmp_path})

    async def test_a_message_that_cannot_be_sent_is_a_refusal_that_says_so(
        self, client: httpx.AsyncClient
    ) -> None:
        answer = await client.post("/v1/sign-in/codes", json={"phone": "+423 234 56 78"})

        assert answer.status_code == 503
        assert answer.json()["type"] == "/problems/sms-unavailable"
        assert "Retry-After" in answer.headers
