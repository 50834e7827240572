# What authors of methods import.

from .base import Context as Context
from .base import Method as Method
from .base import Scored as Scored
