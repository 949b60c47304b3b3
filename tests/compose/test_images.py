"""The hero picture: small, upright, bare, the same every time; a broken one is named."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest
from PIL import Image, ImageCms, ImageDraw
from workspaces import a_photo, encoded

from newsletter.compose import images
from newsletter.compose.images import MAX_BYTES, MAX_WIDTH, Picture, prepare_hero
from newsletter.errors import ContentError, StorageError
from newsletter.issue.model import Hero
from newsletter.issue.prose import Prose


def prepared(folder: Path, data: bytes, name: str = "hero.jpg") -> Picture:
    (folder / name).write_bytes(data)
    return prepare_hero(Hero(file=name, alt="A harbor", credit=Prose.plain("Us")), folder)


def opened(picture: Picture) -> Image.Image:
    image = Image.open(io.BytesIO(picture.data))
    image.load()
    return image


def test_large_photo_is_scaled_to_twice_the_width_of_the_mail(tmp_path):
    picture = prepared(tmp_path, encoded(a_photo(3312, 1864), quality=95))
    assert (picture.size.file, picture.size.width, picture.size.height) == ("hero.jpg", 1104, 621)
    assert opened(picture).size == (1104, 621)
    assert len(picture.data) <= MAX_BYTES


def test_small_photo_is_not_enlarged(tmp_path):
    assert prepared(tmp_path, encoded(a_photo(600, 400))).size.width == 600


def test_picture_of_pure_noise_still_meets_the_limit(tmp_path):
    noise = Image.frombytes("RGB", (1104, 800), random.Random(1).randbytes(1104 * 800 * 3))
    picture = prepared(tmp_path, encoded(noise, quality=90))
    assert len(picture.data) <= MAX_BYTES
    assert opened(picture).size == (picture.size.width, picture.size.height)


def test_sideways_photo_is_turned_and_its_metadata_dropped(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright
    exif[0x010F] = "Camera maker"
    exif.get_ifd(0x8825)[1] = "N"  # a place
    photo = a_photo(800, 500)
    ImageDraw.Draw(photo).rectangle((0, 400, 120, 500), fill="red")  # bottom left becomes top left
    picture = prepared(tmp_path, encoded(photo, exif=exif, comment=b"do not publish"))
    image = opened(picture)
    assert image.size == (500, 800)
    red, green, blue = image.getpixel((20, 20))
    assert red > 200 > 90 > max(green, blue)
    assert not image.getexif()
    assert "icc_profile" not in image.info
    assert b"Camera" not in picture.data
    assert b"publish" not in picture.data


@pytest.mark.parametrize("orientation", range(1, 9))
def test_width_limit_holds_in_every_orientation(tmp_path, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = prepared(tmp_path, encoded(a_photo(2400, 1500), exif=exif))
    assert picture.size.width <= MAX_WIDTH
    assert opened(picture).size == (picture.size.width, picture.size.height)


def test_flat_chart_stays_a_lossless_png(tmp_path):
    chart = Image.new("RGB", (900, 500), "white")
    ImageDraw.Draw(chart).rectangle((100, 100, 300, 400), fill="#12304f")
    picture = prepared(tmp_path, encoded(chart, "PNG"), "chart.png")
    assert picture.size.file == "hero.png"
    assert opened(picture).convert("RGB").tobytes() == chart.tobytes()


def test_photo_as_png_becomes_jpeg(tmp_path):
    picture = prepared(tmp_path, encoded(a_photo(1000, 600), "PNG"), "photo.png")
    assert picture.size.file == "hero.jpg"


def test_transparent_parts_become_white(tmp_path):
    chart = Image.new("RGBA", (400, 300), (0, 0, 0, 0))
    picture = prepared(tmp_path, encoded(chart, "PNG"), "chart.png")
    assert opened(picture).convert("RGB").getpixel((10, 10)) == (255, 255, 255)


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_every_color_mode_of_jpeg_becomes_rgb(tmp_path, mode):
    assert opened(prepared(tmp_path, encoded(a_photo(600, 400, mode)))).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_color_mode_of_png_is_taken(tmp_path, mode):
    if mode == "I;16":
        image = Image.frombytes("I;16", (200, 100), b"\x00\x80" * 20_000)
    else:
        image = a_photo(200, 100).convert(mode)
    red, green, blue = (
        opened(prepared(tmp_path, encoded(image, "PNG"), "a.png"))
        .convert("RGB")
        .getpixel((100, 50))
    )
    if mode == "I;16":  # half of 65,536 is middle gray, not white
        assert {red, green, blue} <= {127, 128, 129}


def test_embedded_color_profile_is_applied_and_a_broken_one_ignored(tmp_path):
    photo = a_photo(600, 400)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    for icc in (profile, b"not a profile"):
        picture = prepared(tmp_path, encoded(photo, icc_profile=icc))
        assert "icc_profile" not in opened(picture).info


def test_animated_webp_gives_its_first_picture(tmp_path):
    frames = [Image.new("RGB", (600, 400), color) for color in ("red", "blue")]
    data = encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:])
    red, _, blue = opened(prepared(tmp_path, data, "a.webp")).convert("RGB").getpixel((50, 50))
    assert red > 200 > 60 > blue


def test_same_file_gives_the_same_bytes(tmp_path):
    data = encoded(a_photo())
    first = prepared(tmp_path, data)
    images._prepare.cache_clear()
    assert prepared(tmp_path, data) == first


@pytest.mark.parametrize(
    "data",
    [b"", b"no picture", b"GIF89a" + bytes(40), encoded(a_photo(400, 300))[:5000], b"\xff\xd8\xff"],
    ids=["empty", "text", "gif", "truncated", "header only"],
)
def test_damaged_picture_is_named(tmp_path, data):
    with pytest.raises(ContentError, match=r"hero\.jpg is not a sound JPEG, PNG or WebP picture"):
        prepared(tmp_path, data)


def test_picture_of_fifty_million_pixels_is_refused_before_it_is_decoded(tmp_path):
    huge = encoded(Image.new("1", (10_000, 5_100)), "PNG")
    with pytest.raises(ContentError, match="10,000 × 5,100 pixels"):
        prepared(tmp_path, huge, "hero.png")


def test_decompression_bomb_is_refused(tmp_path):
    bomb = encoded(Image.new("1", (30_000, 30_000)), "PNG")
    with pytest.raises(ContentError, match=r"hero\.png"):
        prepared(tmp_path, bomb, "hero.png")


def test_file_above_the_limit_is_refused(tmp_path):
    with pytest.raises(ContentError, match="more than 20 MB"):
        prepared(tmp_path, bytes(20_000_001))


def test_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "private.jpg").write_bytes(encoded(a_photo(600, 400)))
    folder = tmp_path / "issue"
    folder.mkdir()
    (folder / "hero.jpg").symlink_to(tmp_path / "private.jpg")
    with pytest.raises(StorageError, match="leads out of its folder"):
        prepare_hero(Hero(file="hero.jpg", alt="A", credit=Prose.plain("B")), folder)
