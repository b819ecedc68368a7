"""What payouts refuse."""

from app.foundation.problems import Problem


class IbanInvalid(Problem):
    """Compare the number with your card or your bank's letter: its check digits do not fit."""

    status = 422
    slug = "iban-invalid"
    title = "This is no account number that exists"


class HolderNameInvalid(Problem):
    """Write the holder's name as the bank knows it, in letters that can be put on a transfer."""

    status = 422
    slug = "holder-name-invalid"
    title = "This name cannot stand on a bank transfer"


class AccountOutsideSepa(Problem):
    """Payouts in euros go to accounts in the SEPA area only. Register an account there."""

    status = 422
    slug = "account-outside-sepa"
    title = "This account is outside the SEPA area"


class CutOffInTheFuture(Problem):
    """A batch pays what was earned up to a moment that has passed. Choose an earlier one."""

    status = 422
    slug = "cut-off-in-the-future"
    title = "The cut-off has not come yet"


class NothingToPay(Problem):
    """Nobody is to be paid. `passed_over` says how many are above zero and why not paid."""

    slug = "nothing-to-pay"
    title = "There is nothing to pay out"


class OwnBatch(Problem):
    """Whoever prepares a batch does not release it. Ask a colleague to look and to release it."""

    slug = "own-batch"
    title = "Somebody else releases this batch"


class BatchDecided(Problem):
    """The batch was released or cancelled already, perhaps at this moment by somebody else."""

    slug = "batch-decided"
    title = "This batch was decided before"


class BatchNotReleased(Problem):
    """Only a released batch is paid: no file, list or status is of one that is not released."""

    slug = "batch-not-released"
    title = "This batch is not released"


class FileNotDrawn(Problem):
    """The file of this batch was not drawn yet. Draw it first with `POST`."""

    status = 404
    slug = "file-not-drawn"
    title = "This batch has no file yet"


class CurrencyNotSepa(Problem):
    """SEPA pays in euros only. Take the list instead, or ask your bank what it takes.

    Liechtenstein and Switzerland are in the SEPA area, but for euros only. If the bank takes
    `pain.001` files in this currency, whoever runs the program says so by
    `MEENT_PAYOUT_FILE_CURRENCIES`.
    """

    slug = "currency-not-sepa"
    title = "SEPA pays in euros only"


class PayingAccountMissing(Problem):
    """Whoever runs the program says by `MEENT_PAYOUT_IBAN` from which account drivers are paid."""

    slug = "paying-account-missing"
    title = "The cooperative's own account is not known"


class StatusReportUnreadable(Problem):
    """Send a payment status report (pain.002.001) as the bank gave it, or the list of statuses."""

    status = 422
    slug = "status-report-unreadable"
    title = "This is no status report that can be read"


class StatusReportOfAnother(Problem):
    """The report names another file than this batch's. Import it to the batch that it is of."""

    slug = "status-report-of-another"
    title = "This status report is of another batch"
