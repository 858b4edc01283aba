#!/usr/bin/env python3
"""Makes the manual page of a program from its --help:  man_page.py PROGRAM OUTPUT.1.gz [--version V] [--others NAME...]"""

import argparse
import gzip
import os
import re
import subprocess
from pathlib import Path

COLUMN = 30  # where CLI11 begins descriptions
EXIT_STATUS = {"0": "The work is done.", "1": "A bug of gapkit; please report it.",
               "2": "The user's files, options or values are at fault, or a file cannot be written; one sentence on standard error says what, "
                    "where, and what to do.",
               "3": "A computation failed: a result is not finite, or memory is short.",
               "128 + N": "Signal N ended the program, such as 130 for Ctrl-C."}
ENVIRONMENT = {"OMP_NUM_THREADS": "Number of threads, unless --threads gives it. Without both: the cores and the CPU quota of the process.",
               "OMP_WAIT_POLICY": "Set to passive by the program if neither it nor GOMP_SPINCOUNT is set: threads that wait sleep.",
               "GAPKIT_ISA": "Instruction set of the hot loops: portable, avx2 or avx512. Without it: the best that the processor has."}
# Files that a program finds or leaves without an option that names them; {documents} is the folder of the documents.
FILES = {
    "gap-fit": {"MODEL.checkpoint": "State of an interrupted fit; the same command continues from it. Removed at the end of the fit.",
                "MODEL.scan.jsonl": "Results of --scan, one line for each combination.",
                "MODEL.tune.jsonl": "Results of --tune, one line for each trial; the same command continues from them.",
                "MODEL.tune.html": "Figures of the search of --tune."},
    "gap_fit": {"GP_FILE.sparseX.LABELn": "Sparse points of the n-th term of the potential; QUIP needs them beside it.",
                "MODEL.h5": "Model for gapkit beside the potential: GP_FILE with this ending instead of .xml.",
                "MODEL.h5.checkpoint": "State of an interrupted fit; the same command continues from it. Removed at the end of the fit."},
    "gap-active": {"FOLDER/model.h5": "The newest model.", "FOLDER/labelled.xyz": "Structures that were labelled.",
                   "FOLDER/log.jsonl": "One line for each event of the loop.", "FOLDER/loop.html": "Figures of the loop."},
}
FILES_OF_ALL = {"{documents}/": "Documents: configuration, file formats, methods.", "{documents}/examples/": "Configurations with their data, "
                "and programs that use the libraries."}


def entries_and_footer(text):
    """(description, usage, {heading: [(left, description)]}, paragraphs of the footer) of a help text of CLI11."""
    lines = text.split("\n")
    usage_line = next(i for i, line in enumerate(lines) if line.startswith("Usage: "))
    groups, i, heading = {}, usage_line + 1, None
    while i < len(lines):
        line, following = lines[i], lines[i + 1] if i + 1 < len(lines) else ""
        if re.match(r"\S.*:$", line) and (line == "Positionals:" or following.startswith("  -")):
            heading = line[:-1]
            groups[heading] = []
        elif line and not line.startswith(" "):
            break
        elif line.strip() and heading is None:
            raise SystemExit(f"man_page: error: line {i + 1} of the help is none of a heading's: {line!r}")
        elif line.startswith(" " * COLUMN):
            left, description = groups[heading][-1]
            groups[heading][-1] = (left, f"{description} {line.strip()}".strip())
        elif line.strip():
            groups[heading].append(split_entry(line, following))
        i += 1
    paragraphs = [paragraph for paragraph in re.split(r"\n\s*\n", "\n".join(lines[i:])) if paragraph.strip()]
    return " ".join(lines[:usage_line]).strip(), lines[usage_line][len("Usage: "):], groups, paragraphs


def split_entry(line, following):
    """Left part and description; CLI11 pads the left part by bytes, and begins a new line where it is too long."""
    code = line.encode()
    if len(code) <= COLUMN or (following.startswith(" " * COLUMN) and code[COLUMN - 2:COLUMN] != b"  "):
        return line.strip(), ""
    return code[:COLUMN].decode().strip(), code[COLUMN:].decode().strip()


def escaped(text):
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def prose(text, documents):
    """Text with options in bold, and documents where they are installed."""
    text = re.sub(r"\bdocs/([\w-]+\.md)", rf"{documents}/\1", text)
    parts = re.split(r"((?<![\w-])--?[a-z][a-z-]*)", text)
    marked = "".join(rf"\fB{escaped(part)}\fR" if i % 2 else escaped(part).replace("\\-", "-") for i, part in enumerate(parts))
    return re.sub(r"(?<!\S)(\(?)(/[\w.-]+/)", r"\1\\%\2", marked)  # paths are not hyphenated


def option_and_remarks(left, positional):
    """The left part of an entry in roff, and what CLI11 tells in it beyond names and values."""
    remarks = ""
    for word, sentence in (("Excludes", "Not together with"), ("Needs", "Only with")):
        found = re.search(rf"\s{word}:((?: (?:--?)?[A-Za-z-]+)+)", left)
        if found:
            remarks += f" {sentence} {', '.join(found[1].split())}."
            left = left.replace(found[0], "")
    left = left.replace(" REQUIRED", "").replace("... ...", "...").replace(" ...", "...")
    left = re.sub(r" x \d+$", "", left)
    if positional:
        left = left.replace(" TEXT", "")
        return rf"\fI{escaped(left)}\fR", remarks
    names, _, value = left.partition(" ")
    default = re.search(r"=(?![A-Z])(\S+)$", value)
    if default:
        value = value[:default.start()]
        remarks = f" (default: {default[1]}){'.' if remarks else ''}{remarks}"
    value = re.sub(r":[A-Z ]+$", "", value)
    value = value.replace("|", r"\fR|\fI") if value else ""
    names = ", ".join(rf"\fB{escaped(name)}\fR" for name in names.split(","))
    return names + (rf" \fI{escaped(value)}\fR".replace(r"\efR|\efI", r"\fR|\fI") if value else ""), remarks


def listed(entries, documents, positional=False):
    lines = []
    for left, description in entries:
        shown, remarks = option_and_remarks(left, positional)
        if remarks.startswith((" Not", " Only")):
            description = description.rstrip(".") + "."
        lines += [".TP", shown, prose(description + remarks, documents)]
    return lines


def table(entries, documents, style="B"):
    lines = []
    for name, text in entries.items():
        lines += [".TP", rf"\f{style}{escaped(name.format(documents=documents))}\fR", prose(text, documents)]
    return lines


def synopsis(usage):
    program, _, rest = usage.partition(" ")
    return rf"\fB{escaped(program)}\fR " + re.sub(r"[A-Z]+", lambda name: rf"\fI{name[0]}\fR", escaped(rest))


def page(program, text, version, documents, others):
    description, usage, groups, paragraphs = entries_and_footer(text)
    positionals = groups.pop("Positionals", [])
    summary = description[0].lower() + description[1:].split(". ")[0].rstrip(".")
    lines = [f'.TH {program.upper()} 1 "" "gapkit {version}" "gapkit"', ".SH NAME", rf"{escaped(program)} \- {escaped(summary)}",
             ".SH SYNOPSIS", synopsis(usage), ".SH DESCRIPTION", prose(description, documents)]
    lines += listed(positionals, documents, positional=True)
    examples = []
    for paragraph in paragraphs:
        if paragraph.startswith("Examples:\n"):
            examples += [".SH EXAMPLES", ".nf", escaped(re.sub(r"(?m)^  ", "", paragraph.partition("\n")[2])), ".fi"]
            continue
        paragraph = re.sub(r"Exit codes:[^.]*\.", "", paragraph).strip()
        if paragraph:
            lines += [".PP", prose(re.sub(r"\n\s*", " ", paragraph), documents)]
    lines.append(".SH OPTIONS")
    for heading, entries in groups.items():
        lines += ([] if heading == "Options" else [f".SS {escaped(heading)}"]) + listed(entries, documents)
    lines += examples + [".SH EXIT STATUS"] + table(EXIT_STATUS, documents) + [".SH ENVIRONMENT"] + table(ENVIRONMENT, documents)
    lines += [".SH FILES"] + table(FILES.get(program, {}) | FILES_OF_ALL, documents, style="I")
    related = [rf"\fB{escaped(name)}\fR(1)" for name in sorted(others) if name != program]
    return "\n".join(lines + [".SH SEE ALSO", ", ".join(related)]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--version", default="")
    parser.add_argument("--documents", default="/usr/share/doc/gapkit")
    parser.add_argument("--others", nargs="*", default=[], help="programs to name under SEE ALSO")
    arguments = parser.parse_args()
    command = [str(arguments.program.resolve()), "--help"]
    done = subprocess.run(command, capture_output=True, env=os.environ | {"LC_ALL": "C.UTF-8"})
    if done.returncode != 0:
        raise SystemExit(f"man_page: error: '{' '.join(command)}' failed: {done.stderr.decode()}")
    text = page(arguments.program.name, done.stdout.decode(), arguments.version, arguments.documents, arguments.others)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    with open(arguments.output, "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as file:  # the same help gives the same bytes
        file.write(text.encode())


if __name__ == "__main__":
    main()
