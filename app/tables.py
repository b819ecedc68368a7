"""Imports every room's tables, so that the metadata is whole for migrations and tests."""

from sqlmodel import SQLModel

import app.after_ride.models
import app.assembly.ballots.models
import app.assembly.elections.models
import app.assembly.models
import app.assembly.open_votes.models
import app.assembly.proposals.models
import app.dispatch.models
import app.drivers.models
import app.fares.models
import app.forecast.models
import app.foundation.models
import app.guests.models
import app.ledger.models
import app.ledger.seal_models
import app.members.models
import app.outlook.models
import app.pay_floor.models
import app.payments.client_models
import app.payments.models
import app.payouts.models
import app.reciprocity.models
import app.rides.models
import app.roads.models
import app.solidarity.models
import app.surplus.models
import app.transparency.models

metadata = SQLModel.metadata

__all__ = ["app", "metadata"]
