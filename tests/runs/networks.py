"""A small network, the same for the same channels and outputs."""

from collections import OrderedDict

import torch
from torch import nn


def cnn(channels=1, outputs=10, side=2):
    torch.manual_seed(channels + outputs)
    return nn.Sequential(
        OrderedDict(
            conv=nn.Conv2d(channels, 4, 3),
            norm=nn.BatchNorm2d(4),
            mid=nn.Conv2d(4, 4, 1),
            flatten=nn.Flatten(),
            hidden=nn.Linear(4 * side * side, 6),
            out=nn.Linear(6, outputs),
        )
    )
