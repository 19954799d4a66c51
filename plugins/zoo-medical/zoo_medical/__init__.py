"""Medical image datasets. Only the hook stands here: every ``build`` is an entry-point string, so
that listing these datasets imports neither numpy nor pyarrow."""

import zoo

_MEDMNIST = (
    "pathmnist",
    "chestmnist",
    "dermamnist",
    "octmnist",
    "pneumoniamnist",
    "retinamnist",
    "breastmnist",
    "bloodmnist",
    "tissuemnist",
    "organamnist",
    "organcmnist",
    "organsmnist",
)


@zoo.hookimpl
def register_datasets() -> list[zoo.DatasetSpec | zoo.DatasetFamily]:
    return [
        zoo.DatasetFamily(
            prefix="medmnist",
            names=_MEDMNIST,
            build="zoo_medical.medmnist:build",
            options="zoo_medical.medmnist:options",
            fetch="zoo_medical.medmnist:fetch",
            summary="one of MedMNIST's twelve 2D sets, of 28, 64, 128 or 224 pixels, from its npz",
            source="Yang et al. 2023, MedMNIST v2, doi:10.1038/s41597-022-01721-8",
            tasks={"binary", "multiclass", "multilabel"},
            needs_root=True,
            files="NAME.npz, or NAME_64.npz, NAME_128.npz, NAME_224.npz for the larger sizes",
        ),
        zoo.DatasetSpec(
            name="chest_xray",
            build="zoo_medical.chest_xray:build",
            summary="chest X-rays of children, normal or pneumonia, from folders or parquet",
            source="Kermany et al. 2018, doi:10.1016/j.cell.2018.02.010",
            tasks={"binary"},
            needs_root=True,
            files="{train,val,test}/{NORMAL,PNEUMONIA}/*.jpeg, or train-*.parquet, "
            "validation-*.parquet and test-*.parquet",
        ),
        zoo.DatasetSpec(
            name="kvasir_instrument",
            build="zoo_medical.kvasir_instrument:build",
            summary="590 frames of endoscopies, with masks of the instruments",
            source="Jha et al. 2021, doi:10.1007/978-3-030-67835-7_19",
            tasks={"segmentation"},
            needs_root=True,
            files="images/*.jpg, masks/*.png, train.txt, test.txt and bboxes.json",
        ),
        zoo.DatasetSpec(
            name="skin_lesions",
            build="zoo_medical.skin_lesions:build",
            summary="dermatoscopic images, melanoma or nevus, from folders or HAM10000's table",
            source="Tschandl, Rosendahl, Kittler 2018, doi:10.1038/sdata.2018.161",
            tasks={"binary", "multiclass"},
            needs_root=True,
            files="{train,val,test}/{MEL,NV}/*.jpg, or {MEL,NV}/*.jpg, or HAM10000_metadata.csv "
            "with its images in one or more folders",
        ),
    ]
