"""Make a given Postgres ready and end: `AURA_DATABASE_ADMIN_URL=… python -m deploy.migrate`."""

import sys

from deploy.database import prepare
from schemas.errors.work import CannotStart
from schemas.settings import Settings


def main() -> int:
    """Create roles, database and schema; return the exit code."""
    settings = Settings()
    try:
        if not settings.database_admin_url:
            raise CannotStart("Set AURA_DATABASE_ADMIN_URL to the role that migrates.")
        prepare(
            settings.database_admin_url, settings.database_url or None, index_url=settings.database_index_url or None
        )
    except CannotStart as error:
        print(error.detail, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
