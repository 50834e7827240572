# What authors of perturbations import.

from .base import Perturbation as Perturbation
from .base import Perturbed as Perturbed
