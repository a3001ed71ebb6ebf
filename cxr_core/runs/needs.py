"""Which runs need an unpacked zip, and deleting one with that in mind.

users(unpacked, list_runs(runs_dir()))        # the runs that were trained on it
delete_unpacked(unpacked, runs)                 # refused while one of them is queued or at work
gone(run)                                   # a sentence where a run's data set is not there any more, else ""
"""

from collections.abc import Iterable

from cxr_core.activity import record
from cxr_core.data.unpacked import Unpacked, holding
from cxr_core.errors import RunError
from cxr_core.runs.run import Run


def users(unpacked: Unpacked, runs: Iterable[Run]) -> list[Run]:
    """The runs whose images lie in the unpacked zip. A run that cannot be read is none of them."""
    return [run for run in runs if _lies_in(run, unpacked)]


def delete_unpacked(unpacked: Unpacked, runs: Iterable[Run]) -> list[Run]:
    """Delete an unpacked zip; the runs that lose their images by it: their figures and answers stay.

    Raises RunError where one of them, or a training that goes with it, is queued or at work.
    """
    losing = users(unpacked, runs)
    for run in losing:
        if run.is_active or any(Run(file.parent).is_active for file in run.path.glob("*/run.json")):
            raise RunError(
                f"{unpacked.name} is needed by run {run.id}, which is queued or at work. Stop it, or wait for its end."
            )
    unpacked.delete()
    record("deleted", "unpacked zip", data=unpacked.name, counts={"runs": len(losing)})
    return losing


def gone(run: Run) -> str:
    """What to know where the folder of a run's images is not there any more; "" where it is."""
    folder = run.folder
    if folder.is_dir():
        return ""
    if run.imported:
        return f"{run.imported.name} came without its images: what it answers stays, and none of them can be shown."
    unpacked = holding(folder)
    back = "Upload the same zip again" if unpacked else "Put it back"
    lost = f"The unpacked zip {unpacked.name}" if unpacked else f"The folder {folder}"
    return (
        f"{lost}, which holds the images of this run, is not there any more: figures and predictions stay, but none of "
        f"its images can be shown, and what must be read from them anew fails. {back} to have them again."
    )


def _lies_in(run: Run, unpacked: Unpacked) -> bool:
    try:
        folder = run.folder
    except RunError:
        return False
    holder = holding(folder)
    return holder is not None and holder.path == unpacked.path
