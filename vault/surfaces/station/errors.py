"""What a watcher cannot go on with."""

from __future__ import annotations

from vault.foundation.errors import N_, Fault, VaultError


class FolderTaken(VaultError):
    """Another watcher works on this folder."""

    code = "folder-taken"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("Another watcher is at work on {folder} (process {pid}).")
    hint = N_("One watcher for a folder is enough. Stop the other one first.")


class FolderUnusable(VaultError):
    """The watched folder cannot be read, or the watcher's own files in it cannot be written."""

    code = "folder-unusable"
    status = 500
    exit_code = 78
    fault = Fault.CALLER
    message = N_("The folder {folder} cannot be used: {problem}.")
    hint = N_("The watcher needs to read, write and rename in this folder. Correct that and start it again.")


class BadControlFile(VaultError):
    """A file that announces or describes cannot be understood; what it speaks of waits."""

    code = "bad-control-file"
    status = 422
    exit_code = 65
    fault = Fault.INPUT
    message = N_("{file} cannot be understood: {problem}.")
    hint = N_("Correct the file; the watcher looks at it again by itself.")


class PileClosing(VaultError):
    """A scan came into a sub-folder while the batch before it was being closed."""

    code = "pile-closing"
    status = 409
    exit_code = 75
    fault = Fault.CALLER
    message = N_("The batch of the folder {folder} is being closed; what came after waits for the next one.")
    hint = N_("Nothing to do: the watcher goes on by itself.")


class LeftOver(VaultError):
    """A single pass ended with files that could not be sent."""

    code = "left-over"
    status = 503
    exit_code = 75
    fault = Fault.OURS
    message = N_("{count} files are still in the folder: {problem}")
    hint = N_("Nothing was lost. Run the same command again when the cause is mended.")
