"""Folders of images: real photos, and the odd files that a person's folder could contain."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import ImageFolder

from hcat_nb.api.characterize import characterize
from hcat_nb.data.dataset import LabelledDataset
from hcat_nb.data.loading import load
from hcat_nb.errors import DataError, MissingDataError, SpecError

REFUSED = (
    *("broken.png", "broken_data_stream.png"),
    *("decompression_bomb.gif", "png_decompression_dos.png"),
)


def test_class_folders_are_read_as_torchvision_reads_them(shared_data: Path) -> None:
    photos = shared_data / "image_folder" / "flowers"
    dataset = load(photos, size=128)
    theirs = ImageFolder(str(photos))
    assert dataset.name == "flowers"
    assert dataset.class_values == tuple(theirs.classes)
    assert dataset.labels.tolist() == theirs.targets
    assert list(dataset.sample_ids) == [
        Path(path).relative_to(photos).as_posix() for path, _ in theirs.samples
    ]
    for row in (0, 250, 505):
        assert np.array_equal(dataset.features[row].permute(1, 2, 0), np.asarray(theirs[row][0]))


@pytest.fixture(scope="module")
def mixed(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 28 odd files as a class beside a few daisies."""
    root = tmp_path_factory.mktemp("mixed")
    shutil.copytree(shared_data / "image_folder" / "odd", root / "odd")
    (root / "daisy").mkdir()
    for path in sorted((shared_data / "image_folder" / "flowers" / "daisy").iterdir())[:3]:
        shutil.copy(path, root / "daisy")
    return root


@pytest.fixture(scope="module")
def odd(mixed: Path) -> LabelledDataset:
    return load(mixed, on_bad_row="keep", size=128, fit="stretch")


def shown(dataset: LabelledDataset, name: str) -> np.ndarray:
    row = list(dataset.sample_ids).index(f"odd/{name}")
    assert bool(dataset.readable[row])
    return dataset.features[row].numpy().astype(float)


def test_all_odd_files_are_read_or_reported_by_name(mixed: Path, odd: LabelledDataset) -> None:
    assert len(odd) == 3 + 28
    unread = {str(one) for one in odd.sample_ids[~odd.readable.numpy()]}
    assert unread == {f"odd/{name}" for name in REFUSED}
    with pytest.raises(DataError, match="4 of 31 image files cannot be read") as caught:
        load(mixed)
    assert all(name in str(caught.value) for name in REFUSED)
    assert "\n" not in str(caught.value)


def test_one_picture_in_five_formats_is_one_picture(odd: LabelledDataset) -> None:
    exact = shown(odd, "hopper.ppm")
    for name in ("hopper.bmp", "hopper.tif", "hopper.jpg", "hopper.webp", "hopper.gif"):
        # lossy compression and a palette of 256 colours: a few grey levels
        assert np.abs(shown(odd, name) - exact).mean() < 8, name


def test_turned_photos_stand_upright(odd: LabelledDataset) -> None:
    upright = shown(odd, "hopper.jpg")
    for orientation in (3, 6, 8):
        turned = shown(odd, f"hopper_orientation_{orientation}.jpg")
        assert np.abs(turned - upright).mean() < 8
        assert np.abs(np.rot90(turned, axes=(1, 2)) - upright).mean() > 40


def test_grey_pictures_have_three_equal_channels(odd: LabelledDataset) -> None:
    luma = np.tensordot([0.299, 0.587, 0.114], shown(odd, "hopper.ppm"), axes=1)
    for name, tolerance in (("hopper_gray.jpg", 8), ("hopper_16bit.pgm", 8)):
        grey = shown(odd, name)
        assert (grey == grey[:1]).all()
        assert np.abs(grey[0] - luma).mean() < tolerance, name
    assert set(np.unique(shown(odd, "hopper_1bit.pbm"))) == {0, 255}


def test_sixteen_bits_are_not_cut_to_white(odd: LabelledDataset) -> None:
    # red of 16 bits: 65535, 0, 0
    assert shown(odd, "apng_mode_16bit.png").mean(axis=(1, 2)).tolist() == [255, 0, 0]
    # values 291 to 694; on the scale of 65,535, which the PGM file needs, nearly black
    assert 1 <= shown(odd, "16bit.cropped.tif").max() <= 3


def test_a_12_bit_scan_alone_is_not_left_black(mixed: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        shutil.copy(mixed / "odd" / "16bit.cropped.tif", tmp_path / name)
    dataset = load(tmp_path, color="grey")
    # 694 of 1,023
    assert dataset.features.amax().item() == round(694 / 1023 * 255)


def test_transparency_is_laid_on_white(mixed: Path, odd: LabelledDataset) -> None:
    corner = shown(odd, "transparent.png")[:, 0, 0]
    assert corner.tolist() == [255, 255, 255]
    black = load(mixed, on_bad_row="drop", background="black", size=128, fit="stretch")
    assert shown(black, "transparent.png")[:, 0, 0].tolist() == [0, 0, 0]


def test_inks_have_right_colours(odd: LabelledDataset) -> None:
    """The picture shows the word RED in red on near black."""
    red, green, blue = shown(odd, "pil_sample_cmyk.jpg")
    ink = red > 128
    assert 0.05 < ink.mean() < 0.5
    assert green[ink].mean() < 90
    assert blue[ink].mean() < 90
    assert red[~ink].mean() < 60


def test_of_several_pictures_the_first_is_taken(mixed: Path, odd: LabelledDataset) -> None:
    for name in ("apng_mode_grayscale_alpha.png", "ignore_frame_size.mpo"):
        with Image.open(mixed / "odd" / name) as image:
            image.seek(0)
            rgba = image.convert("RGBA").resize((128, 128), 2)
        first = Image.alpha_composite(Image.new("RGBA", (128, 128), "white"), rgba)
        expected = np.asarray(first.convert("RGB"), dtype=float).transpose(2, 0, 1)
        assert np.abs(shown(odd, name) - expected).mean() < 2


def test_unreadable_exif_does_not_hide_sound_pixels(odd: LabelledDataset) -> None:
    assert shown(odd, "broken_exif_dpi.jpg").mean(axis=(1, 2)).argmax() == 1  # a green square
    for name in ("exif_typeerror.jpg", "junk_jpeg_header.jpg", "flower.jpg", "flower2.webp"):
        assert shown(odd, name).std() > 20


@pytest.fixture
def small(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name / "deeper").mkdir(parents=True)
        for i in range(12):
            pixels = rng.integers(0, 256, (20, 16, 3), dtype=np.uint8)
            folder = tmp_path / name / ("deeper" if i % 2 else "")
            Image.fromarray(pixels).save(folder / f"{i}.png")
    return tmp_path


def test_what_is_no_image_is_counted_not_read(small: Path) -> None:
    for name in ("notes.txt", "cat/._3.png", "cat/Thumbs.db", "loose.png"):
        (small / name).write_bytes(b"x")
    (small / ".cache").mkdir()
    (small / ".cache" / "a.png").write_bytes(b"x")
    dataset = load(small)
    assert len(dataset) == 24
    assert "cat/deeper/1.png" in dataset.sample_ids
    assert dataset.notes[0].startswith("3 files of")
    assert dataset.notes[1].startswith("1 images beside")


def test_a_run_on_a_folder(small: Path) -> None:
    run = characterize(small, epochs=2, seed=0, methods="aum,loss", dataset_options={"size": 16})
    assert list(run.scores.index[:2]) == ["cat/0.png", "cat/10.png"]
    assert run.spec.dataset == str(small)
    assert run.info["dataset"]["sample_shape"] == [3, 16, 16]


def test_a_transform_takes_the_place_of_size(small: Path) -> None:
    dataset = load(small, transform=lambda image: image.resize((5, 7)), color="grey")
    assert dataset.sample_shape == (1, 7, 5)
    assert load(small, flip_keeps_label=True).flip_keeps_label


def test_a_folder_in_the_current_one_is_found_by_path(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small.parent)
    for path in (Path(small.name), f"./{small.name}", f"{small.name}/"):
        dataset = load(path)
        assert (len(dataset), dataset.name) == (24, small.name)
        assert torch.equal(dataset.features, load("folder", path=small.name).features)


def test_mistakes_say_what_is_expected(small: Path) -> None:
    with pytest.raises(SpecError, match="no path"):
        load("folder")
    with pytest.raises(MissingDataError, match="there is no folder"):
        load(small / "none")
    with pytest.raises(DataError, match="its subfolders are the labels"):
        load(small, target="label")
    with pytest.raises(DataError, match="1 subfolders with images, and 6 images"):
        load(small / "cat")
    with pytest.raises(SpecError, match="fit is 'tile'"):
        load(small, fit="tile")


@pytest.fixture
def splits(tmp_path: Path) -> Path:
    for split in ("train", "val", "test"):
        for label in ("cat", "dog"):
            folder = tmp_path / "pets" / split / label
            folder.mkdir(parents=True)
            for shade in (10, 20, 30):
                Image.new("RGB", (8, 8), (shade, shade, shade)).save(folder / f"{shade}.png")
    return tmp_path / "pets"


def test_splits_are_no_classes(splits: Path) -> None:
    with pytest.raises(DataError, match=r"are splits, not classes: test, train, val.*pets/train"):
        load(splits)
    chosen = load(splits, split="train", size=8)
    assert (chosen.class_values, len(chosen)) == (("cat", "dog"), 6)
    assert chosen.sample_ids[0] == "train/cat/10.png"
    with pytest.raises(DataError, match=r"no split 'trian'.*nearest: train"):
        load(splits, split="trian")
    shutil.rmtree(splits / "val")
    shutil.rmtree(splits / "test")
    with pytest.raises(DataError, match=r"are splits, not classes: train;"):
        load(splits)


@pytest.mark.parametrize("names", [("training_set", "test_set"), ("fold0", "fold1")])
def test_splits_by_other_names_are_no_classes(tmp_path: Path, names: tuple[str, str]) -> None:
    for name in names:
        for label in ("cat", "dog"):
            (tmp_path / name / label).mkdir(parents=True)
            Image.new("RGB", (8, 8)).save(tmp_path / name / label / "0.png")
    with pytest.raises(DataError, match="are splits, not classes"):
        load(f"{tmp_path}/")
    assert load(f"{tmp_path}/", split=names[0]).class_values == ("cat", "dog")


def test_a_class_called_train_beside_others_stays_one(splits: Path) -> None:
    (splits / "bus").mkdir()
    shutil.copy(splits / "train" / "cat" / "10.png", splits / "bus")
    assert load(splits, size=8).class_values == ("bus", "test", "train", "val")


def test_splits_within_classes_can_be_chosen_from(splits: Path, tmp_path: Path) -> None:
    for split in ("train", "val"):
        for label in ("cat", "dog"):
            shutil.copytree(splits / split / label, tmp_path / "turned" / label / split)
    turned = load(tmp_path / "turned", split="train", size=8)
    assert (turned.class_values, len(turned)) == (("cat", "dog"), 6)


@pytest.mark.parametrize("junk", ["__MACOSX", ".ipynb_checkpoints", "@eaDir"])
def test_folders_that_systems_leave_are_no_classes(splits: Path, junk: str) -> None:
    shutil.copytree(splits / "val" / "cat", splits / "train" / junk)
    shutil.copytree(splits / "val" / "cat", splits / "train" / "cat" / junk)
    data = load(splits / "train", size=8)
    assert (data.class_values, len(data)) == (("cat", "dog"), 6)


def test_a_folder_around_splits_or_classes_names_the_one_to_give(
    splits: Path, tmp_path: Path
) -> None:
    outer = tmp_path / "photos"
    shutil.copytree(splits, outer / "dataset")
    shutil.copytree(splits / "train", tmp_path / "more" / "a" / "b")
    for given, named in ((outer, outer / "dataset/train"), (tmp_path / "more", "more/a/b")):
        with pytest.raises(DataError, match=f"1 subfolders with images.*the folder .*{named}$"):
            load(given)
        with pytest.raises(DataError, match=f"the folder .*{named}$"):
            load(given, split="train") if given == outer else load(f"{given}/")
    assert load(outer / "dataset/train", size=8).class_values == ("cat", "dog")


def photos_at(root: Path, *places: str) -> Path:
    for at, place in enumerate(places):
        (root / place).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (4, 4), at).save(root / place)
    return root


def test_a_folder_of_classes_beside_classes_is_told(tmp_path: Path) -> None:
    plain = photos_at(tmp_path / "plain", "cat/1.png", "dog/1.png", "loose.png")
    (plain / "read.me").touch()
    assert load(plain).notes[:2] == (
        "1 files of plain that are no images were passed over",
        "1 images beside the class folders of plain have no class",
    )
    odd = photos_at(tmp_path / "odd", "cat/1.png", "more/dog/1.png", "more/cow/1.png", "elk/1.png")
    dataset = load(odd)
    assert dataset.class_values == ("cat", "elk", "more")
    assert "more/ (cow, dog)" in dataset.notes[0]
    # All classes in parts, or parts called as splits are: as it is meant to be.
    deep = photos_at(tmp_path / "deep", *(f"{name}/{day}/1.png" for name in "ab" for day in "12"))
    assert not any("folders" in note for note in load(deep).notes)


def test_a_folder_called_as_a_dataset_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert not any("./wine" in note for note in load("wine").notes)
    photos_at(tmp_path / "wine", "red/1.png", "white/1.png")
    assert "the folder beside: that is './wine'" in load("wine").notes[-1]
    assert load("./wine").class_values == ("red", "white")
