"""What the payments' room refuses."""

from app.foundation.problems import Problem


class NoCard(Problem):
    """Register a card first, or pay in another way."""

    slug = "no-card"
    title = "You have no card here"


class FundOwed(Problem):
    """The solidarity fund paid a ride of yours whose card failed. Pay that, or in another way.

    `POST /v1/me/payments/{payment_id}/retry` charges your card again.
    """

    slug = "fund-owed"
    title = "You owe the solidarity fund"


class NoClient(Problem):
    """Nobody takes over your rides: ask your employer to have you authorised, or pay otherwise."""

    slug = "no-client"
    title = "Nobody is invoiced for your rides"


class ClientLimitReached(Problem):
    """Your client's account does not reach that far. Ask them, or pay in another way."""

    slug = "client-limit-reached"
    title = "The client's limit is reached"


class CashLimitReached(Problem):
    """You owe as much of fares taken in cash as you may. Take a ride that is paid otherwise."""

    slug = "cash-limit-reached"
    title = "You may take no more cash for now"


class CardNumberRefused(Problem):
    """Never send the number of a card: send the token that the card provider gave your device."""

    status = 422
    slug = "card-number-refused"
    title = "This looks like the number of a card"


class CardRegisteredBefore(Problem):
    """This card is registered already. Take the one there is, or register another."""

    slug = "card-registered-before"
    title = "This card is registered already"


class SignatureInvalid(Problem):
    """Only the card provider may tell us what became of a payment, and it signs what it says."""

    status = 400
    slug = "signature-invalid"
    title = "The signature does not fit"


class PaymentNotOpen(Problem):
    """Only what failed or stands on your account is charged, once, while its ride is owed."""

    slug = "payment-not-open"
    title = "This payment is not open"


class RiderHasClient(Problem):
    """One client pays for a rider. End the other agreement first."""

    slug = "rider-has-client"
    title = "Another client pays for this rider"


class NothingToInvoice(Problem):
    """Nothing was taken over in this month that is not invoiced yet, or less than came back."""

    slug = "nothing-to-invoice"
    title = "There is nothing to invoice"


class InvoiceTooEarly(Problem):
    """An invoice is of a month that is over. Wait for its end."""

    status = 422
    slug = "invoice-too-early"
    title = "The month is not over"


class InvoicePaidBefore(Problem):
    """An invoice is paid once. Look at the one you mean."""

    slug = "invoice-paid-before"
    title = "This invoice is paid"


class SettlementBookedBefore(Problem):
    """What a provider paid out is booked once. Compare the reference with the bank's statement."""

    slug = "settlement-booked-before"
    title = "This settlement is booked"
