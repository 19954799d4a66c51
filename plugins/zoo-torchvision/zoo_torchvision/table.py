"""What has to be known of each dataset: how torchvision makes its splits, which attribute holds the
images and which the labels (so that no image is decoded for its label), and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from zoo import Provenance

Layout = Literal["arrays", "arrays_transposed", "arrays_channels_first", "paths"]


@dataclass(frozen=True)
class Entry:
    """``splits``: by zoo's name, the constructor's arguments. ``needs``: what must be in the root,
    with ``{options}`` filled in. ``layout``: what the attribute ``images`` holds: uint8 (N, H, W)
    or (N, H, W, C); (N, W, H); (N, C, H, W); or paths. ``notes``: as a dataset has them."""

    splits: Mapping[str, Mapping[str, Any]]
    needs: tuple[str, ...]
    images: str
    labels: str
    layout: Layout
    provenance: Provenance
    classes: str = "classes"
    notes: Mapping[str, str] = field(default_factory=dict)


SEE_HOMEPAGE = "see homepage"  # it names no licence, or others name several
_TRAIN_AND_TEST = {"train": {"train": True}, "test": {"train": False}}
_IDX = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def _idx(name: str, licence: str, citation: str, homepage: str) -> Entry:
    needs = tuple(f"{name}/raw/{file}" for file in _IDX)
    provenance = _provenance(name, licence, citation, homepage)
    return Entry(_TRAIN_AND_TEST, needs, "data", "targets", "arrays", provenance)


def _cifar(name: str, folder: str) -> Entry:
    citation = (
        "A. Krizhevsky. Learning Multiple Layers of Features from Tiny Images. Technical report, "
        "University of Toronto, 2009"
    )
    homepage = "https://www.cs.toronto.edu/~kriz/cifar.html"
    provenance = _provenance(name, SEE_HOMEPAGE, citation, homepage)
    return Entry(_TRAIN_AND_TEST, (folder,), "data", "targets", "arrays", provenance)


def _provenance(name: str, licence: str, citation: str, homepage: str) -> Provenance:
    return Provenance(licence, citation, homepage, f"zoo data get torchvision/{name}")


TABLE: dict[str, Entry] = {
    "MNIST": _idx(
        "MNIST",
        SEE_HOMEPAGE,
        "Y. LeCun, L. Bottou, Y. Bengio, P. Haffner. Gradient-based learning applied to document "
        "recognition. Proceedings of the IEEE, 86(11), 1998. doi:10.1109/5.726791",
        "http://yann.lecun.com/exdb/mnist/",
    ),
    "FashionMNIST": _idx(
        "FashionMNIST",
        "mit",
        "H. Xiao, K. Rasul, R. Vollgraf. Fashion-MNIST: a Novel Image Dataset for Benchmarking "
        "Machine Learning Algorithms, 2017. arXiv:1708.07747",
        "https://github.com/zalandoresearch/fashion-mnist",
    ),
    "KMNIST": _idx(
        "KMNIST",
        "cc-by-sa-4.0",
        "T. Clanuwat, M. Bober-Irizar, A. Kitamoto, A. Lamb, K. Yamamoto, D. Ha. Deep Learning for "
        "Classical Japanese Literature, 2018. arXiv:1812.01718",
        "https://github.com/rois-codh/kmnist",
    ),
    "EMNIST": Entry(
        _TRAIN_AND_TEST,
        tuple(
            f"EMNIST/raw/emnist-{{split}}-{part}-{file}"
            for part in ("train", "test")
            for file in ("images-idx3-ubyte", "labels-idx1-ubyte")
        ),
        "data",
        "targets",
        "arrays_transposed",
        _provenance(
            "EMNIST",
            SEE_HOMEPAGE,
            "G. Cohen, S. Afshar, J. Tapson, A. van Schaik. EMNIST: an extension of MNIST to "
            "handwritten letters, 2017. arXiv:1702.05373",
            "https://www.nist.gov/itl/products-and-services/emnist-dataset",
        ),
        notes={"images": "the files hold them lying on their side; here they stand upright"},
    ),
    "CIFAR10": _cifar("CIFAR10", "cifar-10-batches-py"),
    "CIFAR100": _cifar("CIFAR100", "cifar-100-python"),
    "SVHN": Entry(
        {"train": {"split": "train"}, "test": {"split": "test"}},
        ("train_32x32.mat", "test_32x32.mat"),
        "data",
        "labels",
        "arrays_channels_first",
        _provenance(
            "SVHN",
            "other",
            "Y. Netzer, T. Wang, A. Coates, A. Bissacco, B. Wu, A. Y. Ng. Reading Digits in "
            "Natural Images with Unsupervised Feature Learning. NIPS workshop, 2011",
            "http://ufldl.stanford.edu/housenumbers/",
        ),
        classes="",
        notes={"licence": "for non-commercial use only"},
    ),
    "Flowers102": Entry(
        {split: {"split": split} for split in ("train", "val", "test")},
        ("flowers-102/jpg", "flowers-102/imagelabels.mat", "flowers-102/setid.mat"),
        "_image_files",
        "_labels",
        "paths",
        _provenance(
            "Flowers102",
            SEE_HOMEPAGE,
            "M.-E. Nilsback, A. Zisserman. Automated flower classification over a large number of "
            "classes. ICVGIP, 2008. doi:10.1109/ICVGIP.2008.47",
            "https://www.robots.ox.ac.uk/~vgg/data/flowers/102/",
        ),
    ),
    "OxfordIIITPet": Entry(
        {"train": {"split": "trainval"}, "test": {"split": "test"}},
        ("oxford-iiit-pet/images", "oxford-iiit-pet/annotations"),
        "_images",
        "_labels",
        "paths",
        _provenance(
            "OxfordIIITPet",
            "cc-by-sa-4.0",
            "O. M. Parkhi, A. Vedaldi, A. Zisserman, C. V. Jawahar. Cats and Dogs. CVPR, 2012. "
            "doi:10.1109/CVPR.2012.6248092",
            "https://www.robots.ox.ac.uk/~vgg/data/pets/",
        ),
    ),
    "EuroSAT": Entry(
        {"all": {}},
        ("eurosat/2750",),
        "samples",
        "targets",
        "paths",
        _provenance(
            "EuroSAT",
            "mit",
            "P. Helber, B. Bischke, A. Dengel, D. Borth. EuroSAT: A Novel Dataset and Deep "
            "Learning Benchmark for Land Use and Land Cover Classification. IEEE JSTARS, 12(7), "
            "2019. doi:10.1109/JSTARS.2019.2918242",
            "https://github.com/phelber/eurosat",
        ),
    ),
}
