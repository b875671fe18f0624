import contextlib
import hashlib
import io

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageFile, TiffImagePlugin

from assistant.errors import MediaError
from assistant.media import MediaLimits, load_media
from tests.unit.media.pictures import encoded, gradient, png_chunk, with_png_chunks


def saved(picture: Image.Image, form: str, **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, form, **options)
    return buffer.getvalue()


def only(data: bytes, **limits) -> np.ndarray:
    media = load_media(data, MediaLimits(**limits))
    assert media.kind == "image"
    assert len(media.frames) == 1
    return media.frames[0]


def close(a: np.ndarray, b: np.ndarray, most: float) -> bool:
    return a.shape == b.shape and float(np.abs(a.astype(float) - b).mean()) < most


@pytest.mark.parametrize(
    ("form", "options", "most"),
    [
        ("PNG", {}, 0.01),
        ("BMP", {}, 0.01),
        ("TIFF", {}, 0.01),
        ("TIFF", {"compression": "tiff_lzw"}, 0.01),
        ("WEBP", {"lossless": True}, 0.01),
        ("JPEG", {"quality": 95}, 3),
        ("JPEG", {"quality": 95, "progressive": True}, 3),
        ("WEBP", {"quality": 90}, 6),
        ("AVIF", {"quality": 90}, 6),
        ("JPEG2000", {}, 3),
    ],
)
def test_formats_decode_to_their_pixels(form, options, most):
    picture = gradient()
    media = load_media(encoded(picture, form, **options))
    assert close(media.frames[0], picture, most)
    assert (media.width, media.height) == (64, 48)
    assert media.warnings == ()


def test_the_id_is_the_hash_of_the_bytes():
    data = encoded(gradient())
    assert load_media(data).id == hashlib.sha256(data).hexdigest()
    assert load_media(data).id != load_media(data + b"\0").id


def test_frames_cannot_be_changed():
    with pytest.raises(ValueError, match="read-only"):
        only(encoded(gradient()))[0, 0, 0] = 1


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_turns_the_picture_as_viewers_show_it(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(gradient(), "PNG", exif=exif)
    with Image.open(io.BytesIO(data)) as opened:
        from PIL import ImageOps

        expected = np.asarray(ImageOps.exif_transpose(opened).convert("RGB"))
    assert np.array_equal(only(data), expected)


def test_a_senseless_orientation_is_left_out():
    exif = Image.Exif()
    exif[0x0112] = 77
    assert np.array_equal(only(encoded(gradient(), exif=exif)), gradient())


def test_sixteen_bit_grey_keeps_its_brightness():
    ramp = np.linspace(0, 65535, 64 * 48).reshape(48, 64).astype(np.uint16)
    for form in ("PNG", "TIFF"):
        frame = only(encoded(ramp, form))
        assert close(frame[..., 0], (ramp / 257).round(), 0.6)
        assert np.array_equal(frame[..., 0], frame[..., 2])


@pytest.mark.parametrize(
    ("values", "expected", "warned"),
    [
        (np.float32([[0.0, 0.5], [1.0, 0.25]]), [[0, 128], [255, 64]], False),
        (np.float32([[0, 128], [255, 64]]), [[0, 128], [255, 64]], False),
        (np.float32([[0, 500], [1000, 250]]), [[0, 128], [255, 64]], True),
        (np.int32([[0, 100], [255, 7]]), [[0, 100], [255, 7]], False),
        (np.int32([[0, 200000], [100000, 0]]), [[0, 255], [128, 0]], True),
    ],
)
def test_floating_point_and_32_bit_grey_is_scaled(values, expected, warned):
    media = load_media(encoded(values, "TIFF"))
    assert media.frames[0][..., 1].tolist() == expected
    assert bool(media.warnings) == warned


def test_values_that_are_not_finite_are_refused():
    with pytest.raises(MediaError) as caught:
        load_media(encoded(np.float32([[0, np.nan], [1, 1]]), "TIFF"))
    assert caught.value.code == "broken-image"


@pytest.mark.parametrize("form", ["JPEG", "TIFF"])
def test_cmyk_becomes_rgb(form):
    ink = Image.new("CMYK", (32, 32), (0, 255, 255, 0))
    frame = only(saved(ink, form))
    assert frame[16, 16, 0] > 200
    assert frame[16, 16, 1:].max() < 60


def test_palettes_grey_and_one_bit_become_rgb():
    picture = Image.fromarray(gradient())
    assert close(only(saved(picture.quantize(256), "PNG")), gradient(), 12)
    grey = np.asarray(picture.convert("L"))
    assert np.array_equal(only(saved(picture.convert("L"), "PNG"))[..., 0], grey)
    assert set(np.unique(only(saved(picture.convert("1"), "PNG")))) <= {0, 255}


def test_lab_becomes_rgb():
    frame = only(saved(Image.new("LAB", (16, 16), (128, 128, 128)), "TIFF"))
    assert frame.std() < 3
    assert 90 < frame.mean() < 150


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_see_through_parts_are_laid_on_white_and_told(mode):
    picture = Image.new(mode, (20, 20), (0,) * (len(mode) - 1) + (0,))
    media = load_media(saved(picture, "PNG"))
    assert media.frames[0].min() == 255
    assert any("see-through" in w for w in media.warnings)


def test_half_see_through_is_mixed_with_white():
    picture = Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert abs(int(only(saved(picture, "PNG"))[0, 0, 0]) - 127) <= 1


def test_an_alpha_channel_without_effect_is_not_warned_of():
    media = load_media(saved(Image.new("RGBA", (4, 4), (9, 8, 7, 255)), "PNG"))
    assert media.warnings == ()
    assert media.frames[0][0, 0].tolist() == [9, 8, 7]


def test_a_see_through_palette_colour_becomes_white():
    picture = Image.new("P", (8, 8), 0)
    picture.putpalette([255, 0, 0] + [0, 0, 255] * 255)
    assert only(saved(picture, "PNG", transparency=0)).min() == 255


def test_a_phone_jpeg_with_a_second_picture_is_no_animation():
    frames = [Image.new("RGB", (24, 24), c) for c in ((255, 0, 0), (0, 255, 0))]
    media = load_media(saved(frames[0], "MPO", save_all=True, append_images=frames[1:]))
    assert media.warnings == ()
    assert media.frames[0][5, 5, 0] > 240


def _profile(primaries_swapped: bool) -> bytes:
    """An ICC profile: Pillow's own sRGB, or the same with red and green swapped and renamed."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    if not primaries_swapped:
        return profile
    swapped = profile.replace(b"rXYZ", b"tmpX").replace(b"gXYZ", b"rXYZ").replace(b"tmpX", b"gXYZ")
    return swapped.replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))


def test_a_colour_profile_is_turned_to_srgb():
    red = np.zeros((8, 8, 3), np.uint8)
    red[..., 0] = 255
    assert only(encoded(red, icc_profile=_profile(False)))[0, 0].tolist() == [255, 0, 0]
    turned = only(encoded(red, icc_profile=_profile(True)))[0, 0]
    assert turned[1] > 200
    assert turned[0] < 60


def _gamma(profile: bytes, power: float) -> bytes:
    """The profile with all its curves replaced by one power; its name stays."""
    table = {}
    for i in range(int.from_bytes(profile[128:132], "big")):
        at = 132 + 12 * i
        table[profile[at : at + 4]] = int.from_bytes(profile[at + 4 : at + 8], "big")
    changed = bytearray(profile)
    curve = b"curv\0\0\0\0\0\0\0\x01" + int(power * 256).to_bytes(2, "big")
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        changed[table[name] : table[name] + len(curve)] = curve
    return bytes(changed)


def test_a_profile_is_known_by_what_it_does_and_not_by_its_name():
    grey = np.full((8, 8, 3), 55, np.uint8)
    named_srgb = _gamma(_profile(False), 1.0)
    name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(named_srgb)))
    assert "srgb" in name.lower()
    assert abs(int(only(encoded(grey, icc_profile=named_srgb))[0, 0, 1]) - 128) <= 2
    renamed = _profile(False).replace("sRGB".encode("utf-16-be"), "else".encode("utf-16-be"))
    assert np.array_equal(only(encoded(gradient(), icc_profile=renamed)), gradient())


def test_a_damaged_colour_profile_is_left_out_and_told():
    media = load_media(encoded(gradient(), "JPEG", quality=95, icc_profile=b"nonsense" * 20))
    assert close(media.frames[0], gradient(), 3)
    assert any("profile" in w for w in media.warnings)


def test_a_damaged_exif_block_does_not_spoil_the_picture():
    data = with_png_chunks(encoded(gradient()), png_chunk(b"eXIf", b"MM\x00*\xff\xff\xff\xff"))
    assert np.array_equal(only(data), gradient())


@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("JPEG", {}),
        ("JPEG", {"progressive": True}),
        ("PNG", {}),
        ("WEBP", {}),
        ("GIF", {}),
        ("BMP", {}),
        ("TIFF", {"compression": "tiff_deflate"}),
        ("AVIF", {}),
        ("JPEG2000", {}),
    ],
)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_half_a_picture_is_never_returned(form, options, share):
    noise = np.random.default_rng(3).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    data = encoded(noise, form, **options)
    with pytest.raises(MediaError) as caught:
        load_media(data[: int(len(data) * share)])
    assert caught.value.code in {"broken-image", "not-an-image"}
    assert "damaged or cut short" in caught.value.user_message or share == 0.1
    assert caught.value.hint


def test_a_switch_to_accept_half_pictures_set_elsewhere_is_undone(monkeypatch):
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    data = encoded(gradient(200, 200), "JPEG")
    with pytest.raises(MediaError):
        load_media(data[: len(data) // 2])


def test_pixels_and_sides_are_limited_before_decoding():
    data = encoded(gradient(100, 50))
    for limits in ({"max_pixels": 4999}, {"max_side": 99}):
        with pytest.raises(MediaError, match="100 x 50 pixels") as caught:
            only(data, **limits)
        assert caught.value.code == "too-many-pixels"
    only(data, max_pixels=5000, max_side=100)


def test_bytes_are_limited():
    data = encoded(gradient())
    with pytest.raises(MediaError) as caught:
        only(data, max_image_bytes=len(data) - 1)
    assert caught.value.code == "file-too-large"
    only(data, max_image_bytes=len(data))


@pytest.mark.parametrize("value", [0, -1])
def test_limits_must_be_positive(value):
    with pytest.raises(ValueError, match="max_pixels: expected more than 0"):
        MediaLimits(max_pixels=value)


def test_one_pixel_is_a_picture():
    assert only(encoded(np.zeros((1, 1, 3), np.uint8))).shape == (1, 1, 3)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_heic_photo_is_read_and_turned_once(orientation):
    import pillow_heif

    picture = Image.fromarray(gradient(128, 96))
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    pillow_heif.from_pillow(picture).save(buffer, quality=95, exif=exif.tobytes())
    expected = np.rot90(gradient(128, 96), 3 if orientation == 6 else 0)
    assert close(only(buffer.getvalue()), expected, 6)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.uint32])
@pytest.mark.parametrize("planar", ["contig", "separate"])
def test_a_colour_tiff_of_numbers_is_read(kind, planar):
    wanted = gradient()
    values = wanted.astype(kind) / (255 if np.dtype(kind).kind == "f" else 1)
    values = np.moveaxis(values, 2, 0) if planar == "separate" else values
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, values.astype(kind), photometric="rgb", planarconfig=planar)
    assert np.array_equal(only(buffer.getvalue()), wanted)
    with pytest.raises(MediaError) as caught:
        only(buffer.getvalue(), max_pixels=100)
    assert caught.value.code == "too-many-pixels"


def test_a_tiff_that_is_no_picture_is_named():
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, np.zeros((8, 8, 2), np.float32), planarconfig="contig")
    with pytest.raises(MediaError, match="float32") as caught:
        load_media(buffer.getvalue())
    assert caught.value.code == "unsupported-format"


def test_tiff_pages_are_told(tmp_path):
    assert TiffImagePlugin.TiffImageFile  # the reader is there
    pages = [Image.new("L", (10, 10), v) for v in (10, 20)]
    media = load_media(saved(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert int(media.frames[0][0, 0, 0]) == 10
    assert len(media.warnings) == 1


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF", "JPEG2000"])
def test_changed_bytes_give_a_picture_or_a_media_error(form):
    whole = encoded(gradient(), form)
    rng = np.random.default_rng(5)
    for _ in range(40):
        data = bytearray(whole)
        for place in rng.integers(0, len(data), rng.integers(1, 20)):
            data[place] = int(rng.integers(256))
        with contextlib.suppress(MediaError):
            assert load_media(bytes(data)).frames[0].dtype == np.uint8
