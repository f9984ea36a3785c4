"""The `weigh` command: finds the subcommand and loads only that one."""

from __future__ import annotations

import gc
import importlib
import sys

import click

# command -> module:object, loaded when called
COMMANDS = {
    "report": "weigh.cli.report:report",
    "name": "weigh.cli.name:name",
    "inspect": "weigh.cli.report:inspect",
    "check": "weigh.cli.check:check",
    "fit": "weigh.cli.fit:fit",
    "choose": "weigh.cli.choose:choose",
    "explain": "weigh.cli.explain:explain",
    "catalog": "weigh.cli.catalog:catalog",
    "run": "weigh.cli.run:run",
    "search": "weigh.cli.search:search",
    "pull": "weigh.cli.pull:pull",
    "verify": "weigh.cli.verify:verify",
    "list": "weigh.cli.list:list_models",
    "mirror": "weigh.cli.mirror:mirror",
    "export": "weigh.cli.archive:export",
    "import": "weigh.cli.archive:bring",
    "serve": "weigh.cli.serve:serve",
    "bench": "weigh.cli.bench:bench",
    "schema": "weigh.cli.schema:schema",
}
_TAKES_VALUE = {"--lang", "--signatures", "--fail-on"}


class _Commands(click.Group):
    """`weigh REF...` is `weigh report REF...`; common options may stand before the command."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        return super().parse_args(ctx, _command_first(args))


def _command_first(args: list[str]) -> list[str]:
    """The command's name before its options; `report` where none is named."""
    if not args or args == ["--help"] or args == ["--version"]:
        return args or ["--help"]
    skip = False
    for at, argument in enumerate(args):
        if skip:
            skip = False
        elif argument in _TAKES_VALUE:
            skip = True
        elif not argument.startswith("-") or argument in ("-", "--"):
            return [argument, *args[:at], *args[at + 1 :]] if argument in COMMANDS else ["report", *args]
    return args if "--help" in args or "--version" in args else ["report", *args]


@click.command(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, no_args_is_help=False)
@click.version_option(package_name="weigh", prog_name="weigh")
def weigh() -> None:
    """Tell what an AI model is before it is loaded. 过秤：加载之前，先弄清楚一个模型是什么。

    \b
    weigh REF...        the whole report on a name, a file, a folder or a model on a hub
    weigh name NAME...  take names apart
    """


def main() -> None:
    """The entry point; an interrupt ends with status 130, a reader that goes away ends quietly."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        status = weigh(standalone_mode=False)
    except click.exceptions.Abort:
        status = 130
    except KeyboardInterrupt:
        status = 130
    except click.ClickException as error:
        error.show()
        status = 2
    except BrokenPipeError:
        sys.stderr.close()
        status = 0
    gc.freeze()  # what is left ends with the process: nothing of it is looked through for circles
    sys.exit(status if isinstance(status, int) else 0)
