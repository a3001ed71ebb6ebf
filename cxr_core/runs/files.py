"""The files of a run, each by its name. What is in those that hold records is said in :mod:`cxr_core.runs.records`."""

RUN = "run.json"
SPLIT = "split.csv"
STATUS = "status.json"
PROGRESS = "progress.json"
HISTORY = "history.jsonl"
FOUND = "found.json"
AUDIT = "audit.json"
DECISION = "decision.json"
OPERATING_POINT = "operating_point.json"
UNREADABLE = "unreadable.csv"
VIEWINGS = "looks.json"
CONTROLS = "controls.json"
LUNG_HEAT = "lung-heat.json"
LEFT_OUT = "left-out.json"
LEFT_OUT_TABLE = "left-out.csv"
EXTERNAL = "external"
PROFILES = "profiles"
NAME = "name.txt"
LOG = "log.txt"
STOP = "stop"
LAST = "last"
WEIGHTS = "best.safetensors"
LAST_WEIGHTS = "last.safetensors"
PREFIX = "prefix.safetensors"
EMBEDDING = "embedding.safetensors"
WORKER_LOCK = ".worker.lock"
LAUNCHED = ".launched.json"


def metrics(split: str) -> str:
    """Figures of a split."""
    return f"metrics_{split}.json"


def predictions(split: str) -> str:
    """A row per image of a split."""
    return f"predictions_{split}.csv"
