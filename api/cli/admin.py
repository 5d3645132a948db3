"""What the operator does at the deployment's own machine: `flask --app api keys …`, `operator …`."""

import getpass
import sys
from uuid import UUID

import click

from pipelines.identity import passwords
from pipelines.stores.database import tenant_session
from pipelines.stores.identity import signing_keys, users
from pipelines.stores.operations import audit
from pipelines.stores.operations.audit import Actor
from pipelines.stores.organisation import provider_keys
from schemas.errors.tree import AuraError
from schemas.tables.base import DEFAULT_TENANT_ID
from schemas.tables.identity import Role


@click.group()
def keys() -> None:
    """Rotate the keys that sign tokens, and those that seal secrets."""


@keys.command()
def rotate() -> None:
    """Sign with a new key; tokens of the old ones stay good until they expire."""
    click.echo(f"The new signing key is {signing_keys.rotate()}; it signs in some seconds.")


@keys.command()
@click.argument("kid")
def revoke(kid: str) -> None:
    """Refuse all tokens of a signing key within seconds, because it leaked."""
    try:
        signing_keys.revoke(kid)
    except AuraError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"Tokens of {kid} are refused; everybody who held one refreshes theirs.")


@keys.command()
def reseal() -> None:
    """Seal every secret again with the first of AURA_SECRET_KEYS, so that the others can be dropped."""
    try:
        signing, done = signing_keys.reseal(), provider_keys.reseal_all()
    except AuraError as error:
        raise click.ClickException(error.detail) from error
    click.echo(
        f"Sealed again: {signing} signing keys, {done.keys} provider keys, {done.webhooks} webhook secrets,"
        f" {done.mails} mails, {done.passwords} passwords of files."
    )
    if done.unopened or done.contended:
        raise click.ClickException(
            f"{done.unopened} could not be opened with any of AURA_SECRET_KEYS, {done.contended} were being changed."
            " Run this again before a key is dropped."
        )


@click.group()
def operator() -> None:
    """Say who runs the platform: operators found and see all organisations."""


@operator.command()
@click.argument("email")
def add(email: str) -> None:
    """Make an operator; the password is asked for, or read from standard input."""
    password = getpass.getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    tenant_id = UUID(DEFAULT_TENANT_ID)
    try:
        kept = passwords.hashed(passwords.check(password, email))
        with tenant_session(tenant_id) as session:
            user = users.add(session, tenant_id, email, Role.OPERATOR, password_hash=kept)
            acting = Actor("system", name=getpass.getuser())
            audit.record(session, tenant_id, acting, "operator.added", "user", user.user_id, after={"email": email})
    except AuraError as error:
        raise click.ClickException(error.detail) from error
    click.echo(f"{email} is an operator. Sign in with the organisation `default`.")
