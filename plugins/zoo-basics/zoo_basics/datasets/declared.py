"""What the datasets of this plugin are called and for; nothing here imports their code."""

from zoo import DatasetSpec

_CLASSIFICATION = {"binary", "multiclass", "multilabel"}

DATASETS = (
    DatasetSpec(
        name="digits",
        build="zoo_basics.datasets.digits:build",
        summary="1,797 handwritten digits, 8x8 gray; inside scikit-learn, no download",
        source="Alpaydin and Kaynak 1998, UCI optical digits, test part; scikit-learn",
        tasks={"multiclass"},
    ),
    DatasetSpec(
        name="mnist",
        build="zoo_basics.datasets.mnist:build",
        summary="70,000 handwritten digits, 28x28 gray, from the four idx files",
        source="LeCun, Bottou, Bengio, Haffner 1998, doi:10.1109/5.726791",
        tasks={"multiclass"},
        needs_root=True,
        files="train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and "
        "t10k-labels-idx1-ubyte, each gzipped (.gz) or not, from MNIST's homepage or a mirror",
    ),
    DatasetSpec(
        name="image_folder",
        build="zoo_basics.datasets.image_folder:build",
        summary="your images, in a folder for each class, below train, val and test or not",
        source="the layout of torchvision's ImageFolder",
        tasks={"binary", "multiclass"},
        needs_root=True,
        files="class/*.jpg, or train/class/*.jpg and likewise val and test",
    ),
    DatasetSpec(
        name="csv",
        build="zoo_basics.datasets.csv_table:build",
        summary="your images, listed in a table with labels, splits and groups",
        source="zoo-basics",
        tasks=_CLASSIFICATION,
        needs_root=True,
        files="labels.csv with the columns path and label, and the images",
    ),
    DatasetSpec(
        name="mask_folder",
        build="zoo_basics.datasets.mask_folder:build",
        summary="your images and masks, in two folders, paired by name",
        source="the layout of Kvasir-Instrument, Jha et al. 2021, arXiv:2011.08065",
        tasks={"segmentation"},
        needs_root=True,
        files="images/ and masks/, and train.txt, val.txt and test.txt or none of them",
    ),
    DatasetSpec(
        name="npz",
        build="zoo_basics.datasets.npz:build",
        summary="your images and labels, as arrays in one npz file",
        source="the layout of MedMNIST, Yang et al. 2023, doi:10.1038/s41597-022-01721-8",
        tasks=_CLASSIFICATION,
        needs_root=True,
        files="data.npz with train_images and train_labels, likewise val and test, or with images "
        "and labels",
    ),
    DatasetSpec(
        name="idx",
        build="zoo_basics.datasets.idx_files:build",
        summary="your gray images and labels, in two or four idx files",
        source="the layout of MNIST, LeCun, Bottou, Bengio, Haffner 1998, doi:10.1109/5.726791",
        tasks={"binary", "multiclass"},
        needs_root=True,
        files="idx files of images and of labels, which dataset.images and dataset.labels name",
    ),
    DatasetSpec(
        name="parquet",
        build="zoo_basics.datasets.parquet:build",
        summary="your images and labels, in Hugging Face's parquet files; needs pyarrow",
        source="the layout of Hugging Face's datasets library",
        tasks={"binary", "multiclass"},
        needs_root=True,
        files="train-*.parquet, and likewise validation and test, with the columns image and label",
    ),
)
