"""The commands by name, each with a help text that teaches its use.

Imported once the language is known (``sdrs_nb.cli.main``), so that the help is in it.
"""

import typer

from sdrs_nb.cli import aftercare, books, doctor, options, runs, stages, takeback, tapes
from sdrs_nb.i18n import _

__all__ = ["app"]

app = typer.Typer(
    name="sdrs-nb",
    help=_(
        "Protect cloud servers against the loss of a site, in bulk.\n\n"
        "\b\n"
        "A job from beginning to end:\n"
        "  sdrs-nb check --show rules          who can be protected, and why others cannot\n"
        "  sdrs-nb plan --name-prefix erp      the requests, written to plan.json\n"
        "  sdrs-nb submit plan.json --approve FINGERPRINT\n"
        "  sdrs-nb report RUN report.html\n\n"
        "\b\n"
        "Rehearse without an account:\n"
        "  sdrs-nb runbook run 20_protect_servers -p sandbox true\n\n"
        "Credentials come from the environment (SDRS_NB_ACCESS_KEY, SDRS_NB_SECRET_KEY, ...), clouds.yaml or "
        "~/.huaweicloud/credentials, never from options.\n\n"
        "Exit codes: 0 done, 1 something failed, 2 bad usage or input, 3 nothing eligible, 4 outcome still unknown."
    ),
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.callback()(options.globally)

_PASSED_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app.command(
    "sandbox",
    short_help=_("Start the sandbox cloud."),
    help=_("Start the sandbox cloud: --port 0 --servers 240 --seed 7 --speed 60 (--help shows all)."),
    context_settings={**_PASSED_ON, "help_option_names": []},
)(books.sandbox)
app.command(
    "doctor",
    short_help=_("Say whether this tool fits this cloud."),
    help=_(
        "Say whether this tool fits this cloud and these credentials, before anything is sent.\n\n"
        "\b\n"
        "  sdrs-nb doctor                            a line a check, the worst first: what was found, what to do\n"
        "  sdrs-nb doctor --json | jq                the same for a machine\n"
        "  sdrs-nb doctor --probe-batch              also ask whether the cloud has the batch call\n\n"
        "Only reads, but for --probe-batch: that sends one create which names no server and a group that nobody has, "
        "so that nothing can be created. Leaves with 0 when nothing failed, warnings or not, and with 1 otherwise."
    ),
)(doctor.doctor)
app.command(
    "inventory",
    short_help=_("Load the inventory, keep it, or compare it."),
    help=_(
        "Load the inventory and say what was found.\n\n"
        "\b\n"
        "  sdrs-nb inventory --out estate.xlsx       keep it as a workbook, one sheet a frame\n"
        "  sdrs-nb inventory --template empty.xlsx   a workbook to fill in by hand\n"
        "  sdrs-nb inventory --since estate.xlsx     what appeared, went and changed since\n\n"
        "Nothing is changed in the cloud."
    ),
)(stages.inventory)
app.command(
    "check",
    short_help=_("Check every server against every rule."),
    help=_(
        "Check every server against every rule.\n\n"
        "\b\n"
        "  sdrs-nb check                             the project in the cloud\n"
        "  sdrs-nb check estate.xlsx --json | jq     a file, offline, for a machine\n"
        "  sdrs-nb check --show findings             every reason, with its remedy\n"
        "  sdrs-nb check --servers names.txt         a list of names, ids or addresses; what fits none is told\n"
        "  sdrs-nb check list.xlsx --with-cloud      the list says which servers, the cloud says the facts\n\n"
        "Leaves with 3 when no server is eligible."
    ),
)(stages.check)
app.command(
    "plan",
    short_help=_("Plan the requests and write them to a file."),
    help=_(
        "Plan the fewest requests for the eligible servers and write them to a file.\n\n"
        "\b\n"
        "  sdrs-nb plan --name-prefix erp --out plan.json\n"
        "  sdrs-nb plan --servers names.txt --where \"tags.env == 'prod'\"\n"
        "  sdrs-nb plan --remainder RUN              what a run has left, failed instances cleared away first\n\n"
        "Nothing is sent. The fingerprint that is printed names exactly this plan; review the file, then submit it."
    ),
)(stages.plan)
app.command(
    "submit",
    short_help=_("Send the approved plan and follow it to its end."),
    help=_(
        "Send the approved plan, follow its jobs to their end and compare planned with found.\n\n"
        "\b\n"
        "  sdrs-nb submit plan.json --approve FINGERPRINT\n"
        "  sdrs-nb submit plan.json --approve FINGERPRINT --pilot 1\n\n"
        "With a pilot one batch goes alone and is compared with what was expected; the run then waits for "
        "`sdrs-nb control RUN go`, and leaves with 0 where all is as expected, with 1 where something differs. On a "
        "terminal that is the rule for the first run of a live project; --pilot 0 leaves it out.\n\n"
        "This creates servers and volumes that are billed. Ctrl-C stops before the next request and loses nothing; "
        "`sdrs-nb resume RUN` carries on."
    ),
)(runs.submit)
app.command(
    "follow",
    short_help=_("Follow a run until every job ended."),
    help=_("Follow a run until all is sent and every job ended; then compare planned with found."),
)(runs.follow)
app.command(
    "resume",
    short_help=_("Finish a run after any interruption."),
    help=_("Finish a run after any interruption. Nothing is ever sent twice."),
)(runs.resume)
app.command(
    "control",
    short_help=_("Stop or pause a run, or give something up."),
    help=_(
        "Tell whoever carries a run on what to do, or give up what was not sent.\n\n"
        "\b\n"
        "  go       say that the run may go on after its pilot, with --reason where that differs; and as carry-on\n"
        "  stop     send nothing more, follow what was sent to its end\n"
        "  pause    send nothing more and follow nothing\n"
        "  carry-on take stop or pause back; carry the run on here where nobody does any more\n"
        "  cancel   give up what was not sent yet, for good, and free its servers\n"
        "  let-go   free servers whose request is in doubt, on your word (--reason) that nothing comes of it"
    ),
)(runs.control)
app.command(
    "verify",
    short_help=_("Compare what was planned with what is there."),
    help=_("Compare what a run planned with what the cloud shows now; changes nothing there."),
)(runs.verify)
app.command(
    "enable",
    short_help=_("Enable protection, and follow the first copy."),
    help=_(
        "Enable protection of groups in which a run made instances, and follow the first copy of their data.\n\n"
        "\b\n"
        "  sdrs-nb enable RUN                        every group in which this run made instances\n"
        "  sdrs-nb enable GROUP GROUP --no-follow    these groups, without waiting for their data\n\n"
        "A group that is enabled already is left alone. Ctrl-C ends the following and changes nothing in the cloud. "
        "Leaves with 1 when a group is not protected."
    ),
)(runs.enable)
app.command(
    "todo",
    short_help=_("List what is left to do by hand."),
    help=_(
        "List what is left to do by hand after a run, and tick it off.\n\n"
        "\b\n"
        "  sdrs-nb todo RUN                          an item a line, with when it was done\n"
        "  sdrs-nb todo RUN --done S29               done for all its servers\n"
        "  sdrs-nb todo RUN --done S29:SERVER        done for one\n\n"
        "What is ticked off is kept in the ledger and shown in the report."
    ),
)(runs.todo)
app.command(
    "report",
    short_help=_("Write the report of a run."),
    help=_(
        "Write the report of a run: one HTML file that opens anywhere, and CSV, xlsx and JSON lines beside it.\n\n"
        "Everything comes from the ledger; no network."
    ),
)(runs.report)
app.command(
    "assumptions",
    short_help=_("List what is assumed, and what was seen."),
    help=_(
        "List what is taken for true where the documents are silent: what changes it, what rests on it, and whether a "
        "run has seen it confirmed or contradicted on its cloud.\n\n"
        "Reads the ledger; no network."
    ),
)(runs.assumptions)
app.command(
    "undo",
    short_help=_("Plan the deletion of what a run made."),
    help=_(
        "Plan the deletion of the protected instances that a run made, and only those; nothing is sent.\n\n"
        "\b\n"
        "  sdrs-nb undo RUN                          DR servers stay as ordinary ones and are billed\n"
        "  sdrs-nb undo RUN --delete-dr-servers      DR servers and DR volumes go too, for good\n"
        "  sdrs-nb undo RUN --keep SERVER_ID         this server stays protected\n"
        "  sdrs-nb undo RUN --adopted SERVER_ID      also what the run only adopted for this server\n"
        "  sdrs-nb submit undo.json --approve FINGERPRINT\n\n"
        "Production servers are never deleted. The fingerprint that is printed names exactly this plan; review the "
        "file and what stays billed, then submit it."
    ),
)(takeback.undo)
app.command(
    "approve",
    short_help=_("Approve a plan that needs several persons."),
    help=_(
        "Add one person's approval of a plan to a file.\n\n"
        "\b\n"
        "  sdrs-nb plan --approvals 2\n"
        "  sdrs-nb approve plan.json --who li\n"
        "  sdrs-nb approve plan.json --who chen --after approval.json\n"
        "  sdrs-nb submit plan.json --approve approval.json"
    ),
)(takeback.approve)
app.command(
    "coverage",
    short_help=_("Who is protected, and what has drifted."),
    help=_(
        "Say which servers are protected, which are not, and where a DR server has drifted from production.\n\n"
        "\b\n"
        "  sdrs-nb coverage                          a row per server\n"
        "  sdrs-nb coverage --show drift             a row per difference, with what to do\n"
        "  sdrs-nb coverage --out coverage           both, as CSV files in a folder\n\n"
        "Nothing is changed in the cloud."
    ),
)(aftercare.coverage)
app.command(
    "options",
    short_help=_("Everything a job can be told, as a file."),
    help=_(
        "Read a file of options and print what it says, or write one to fill in.\n\n"
        "\b\n"
        "  sdrs-nb options --template > job.yaml\n"
        "  sdrs-nb options job.yaml                  what it says, or what is wrong with it\n"
        "  sdrs-nb plan --options job.yaml           what is typed beside it wins"
    ),
)(stages.options)
app.command("runs", help=_("List the runs in the ledger, newest first."))(runs.runs)

tape = typer.Typer(
    short_help=_("What was recorded of a cloud, before it is handed on."),
    help=_(
        "What was recorded of a cloud: look at it, and prove that nothing is in it that names anybody.\n\n"
        "\b\n"
        "  sdrs-nb --tape tapes inventory            record what a command exchanges with the cloud\n"
        "  sdrs-nb tape show tapes                   a line a request\n"
        "  sdrs-nb tape check tapes --words names.txt\n\n"
        'sdrs_nb.connect(tape="tapes") plays it back.'
    ),
    no_args_is_help=True,
    rich_markup_mode=None,
)
tape.command(
    "check",
    short_help=_("Prove that no word of yours is in it."),
    help=_(
        "Look for words in a tape, in any spelling: those of a file (one a line), whom the settings name, their "
        "credentials, and whatever has the shape of a secret or of an address.\n\n"
        "What is found is told by file and line, and never shown. Leaves with 1 when anything was found."
    ),
)(tapes.check)
tape.command("show", help=_("Show the requests of a tape in the order in which they left, and what came of each."))(
    tapes.show
)
app.add_typer(tape, name="tape")

runbooks = typer.Typer(
    short_help=_("Documented procedures as notebooks."),
    help=_("Documented procedures as notebooks: list them, copy them, run them."),
    no_args_is_help=True,
    rich_markup_mode=None,
)
runbooks.command("list", help=_("List the runbooks that come with the package."))(books.runbook_list)
runbooks.command(
    "copy",
    short_help=_("Copy the runbooks into a folder."),
    help=_("Copy the runbooks into a folder, to read and change them; never overwrites."),
)(books.runbook_copy)
runbooks.command(
    "run",
    short_help=_("Run one and keep the executed notebook."),
    help=_(
        "Run a runbook from top to bottom and keep the executed notebook as evidence.\n\n"
        "\b\n"
        "  sdrs-nb runbook run 20_protect_servers -p sandbox true -p servers 60\n\n"
        "Set parameters with -p NAME VALUE, as often as needed. The exit code tells the outcome."
    ),
    context_settings=_PASSED_ON,
)(books.runbook_run)
app.add_typer(runbooks, name="runbook")
