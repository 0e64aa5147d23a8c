"""The one array type of the quadrature code."""

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
"""float64 NumPy arrays, of any shape unless said otherwise."""
