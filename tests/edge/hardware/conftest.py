"""The fakes of spidev and lgpio come first: the hardware libraries import them."""

from simulator.board import Board
from simulator.load import load

load(Board())
