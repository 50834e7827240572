# What authors of methods import.

from .probes import Batch as Batch
from .record import Need as Need
from .record import Observation as Observation
