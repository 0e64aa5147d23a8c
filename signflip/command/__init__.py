"""The command ``signflip``: verify, report, diff, nightly, sample, claims.

Importing it loads click alone; each command loads what it needs when it runs, so that reading evidence never waits for
torch.
"""

from __future__ import annotations

import click

from signflip import __version__, environment
from signflip.command.claims import claims
from signflip.command.evidence import diff, report, verify
from signflip.command.nightly import nightly
from signflip.command.sample import sample


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="signflip")
def main() -> None:
    """Statistical verification of arXiv:2203.17209: judge evidence, draw its page, sample networks."""
    environment.settle()


for _command in (verify, report, diff, nightly, sample, claims):
    main.add_command(_command)
