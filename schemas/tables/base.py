"""What all tables share."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import DateTime, MetaData, Text
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import UserDefinedType

DEFAULT_TENANT_ID = "00000000-0000-0000-0000-000000000001"


class Base(DeclarativeBase):
    """Tables of AURA; constraint names are fixed so that migrations can name them."""

    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012 (SQLAlchemy reads it)
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class HalfVector(UserDefinedType[Any]):
    """pgvector's `halfvec` without a width: tenants may use models of different widths.

    Values are passed as they are: the driver's registered binary adapter is ten times faster than
    text binding.
    """

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "halfvec"

    def bind_processor(self, dialect: Any) -> Callable[[Any], Any] | None:
        return None


class Tsvector(UserDefinedType[Any]):
    """Postgres' `tsvector`."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        return "tsvector"
