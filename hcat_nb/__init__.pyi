# The public names, once for the runtime (lazy_loader), for editors and for type checkers.

from .data.dataset import LabelledDataset as LabelledDataset
from .data.duplicates import duplicates as duplicates
from .data.loading import load as load
from .evaluation.table import evaluate as evaluate
from .evaluation.votes import evaluate_votes as evaluate_votes
from .perturbations._apply import perturb as perturb
from .registry import register as register
from .api.characterize import characterize as characterize
from .api.characterize_dynamics import characterize_dynamics as characterize_dynamics
from .api.listing import list_datasets as list_datasets
from .api.listing import list_hardness as list_hardness
from .api.listing import list_methods as list_methods
from .api.listing import list_models as list_models
from .api.record import record as record
from .api.resume import resume as resume
from .api.run import Run as Run
from .api.run import load_run as load_run
from .api.self_check import self_check as self_check
from .api.watch import watch as watch
from .audits.audit import audit as audit
from .audits.outcome import Audit as Audit
from .audits.outcome import load_audit as load_audit
from .runs.checking.check import check as check
from .spec import RunSpec as RunSpec
from .sweeps.collect import results as results
from .sweeps.sweep import sweep as sweep

__version__: str
last_run: Run | None  # changes, so it is looked up each time: hcat_nb.last_run

def load_ipython_extension(ipython: object) -> None: ...
