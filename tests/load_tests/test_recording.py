import pytest

from load_tests.recording import Statement, of_booking, read_log, write_script

ADA, BO = "0190a1c2-7d3e-7c41-9a5b-0b6f6f1f2a3b", "0190a1c2-9f00-7d10-8c1e-2f4b5a6c7d8e"
LOG = f"""\
2026-11-23 00:10:00.001 UTC [11] LOG:  execute __asyncpg_stmt_1__: select from session where h = $1
2026-11-23 00:10:00.001 UTC [11] DETAIL:  Parameters: $1 = '{ADA}'
2026-11-23 00:10:00.002 UTC [11] LOG:  statement: BEGIN;
2026-11-23 00:10:00.002 UTC [12] LOG:  statement: BEGIN;
2026-11-23 00:10:00.002 UTC [12] LOG:  execute __asyncpg_stmt_7__: select from ride where b = $1
2026-11-23 00:10:00.002 UTC [12] DETAIL:  Parameters: $1 = '{BO}'
2026-11-23 00:10:00.003 UTC [11] LOG:  checkpoint starting: time
2026-11-23 00:10:00.003 UTC [11] LOG:  execute __asyncpg_stmt_2__: select $2::text, $1, $2
2026-11-23 00:10:00.003 UTC [11] DETAIL:  Parameters: $1 = 'it''s {{"of": "{ADA}"}}', $2 = '7'
2026-11-23 00:10:00.004 UTC [12] LOG:  statement: COMMIT;
2026-11-23 00:10:00.005 UTC [11] LOG:  statement: COMMIT;
2026-11-23 00:10:00.006 UTC [11] LOG:  execute __asyncpg_stmt_3__: select 1 from shift
"""


def _booking() -> list[Statement]:
    return of_booking(read_log(LOG.splitlines()), marks=(ADA,))


def test_a_booking_is_what_names_its_rider_with_the_whole_transaction_around_it() -> None:
    assert [(one.session, one.sql) for one in _booking()] == [
        (11, "select from session where h = $1"),
        (11, "BEGIN"),
        (11, "select $2::text, $1, $2"),
        (11, "COMMIT"),
    ]


def test_parameters_are_read_with_their_quotes() -> None:
    assert _booking()[2].parameters == (f'it\'s {{"of": "{ADA}"}}', "7")


def test_a_script_says_the_same_word_for_word_with_variables_for_the_places() -> None:
    script = write_script(_booking(), facts=[ADA], values_table="vals", per_client=50)

    assert script.text == (
        "\\set n :client_id * 50 + :i % 50\n"
        "\\set i :i + 1\n"
        "select v0, v1 from vals where n = :n \\gset\n"
        "select from session where h = :v0;\n"
        "BEGIN;\n"
        "select :c0::text, :v1, :c0;\n"
        "COMMIT;\n"
    )
    assert script.text.startswith(script.look_up)
    assert script.constants == {"i": "0", "c0": "7"}


def test_another_booking_differs_in_its_facts_alone() -> None:
    script = write_script(_booking(), facts=[ADA], values_table="vals", per_client=50)

    assert script.values([BO]) == [BO, f'it\'s {{"of": "{BO}"}}']


def test_a_statement_with_null_is_refused_as_pgbench_has_none() -> None:
    log = (
        "2026-11-23 00:10:00.001 UTC [11] LOG:  execute s: select $1",
        "2026-11-23 00:10:00.001 UTC [11] DETAIL:  Parameters: $1 = NULL",
    )

    with pytest.raises(ValueError, match="NULL"):
        read_log(log)
