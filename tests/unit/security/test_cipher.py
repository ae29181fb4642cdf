from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from erp_pipelines.domain.errors import SettingsInvalid
from erp_pipelines.security.cipher import Cipher, SecretUnreadable, new_key

OLD, NEW = new_key(), new_key()
PLACE = {"table": "erp.t", "row": "1", "field": "secret"}
RING = Cipher.from_keys(f"k1:{OLD}")


@given(st.text())
def test_what_was_encrypted_comes_back(plain: str) -> None:
    assert RING.decrypt(RING.encrypt(plain, **PLACE), **PLACE) == plain


def test_the_same_secret_never_gives_the_same_text() -> None:
    assert len({RING.encrypt("x", **PLACE) for _ in range(50)}) == 50


@pytest.mark.parametrize("moved", [{"table": "erp.u"}, {"row": "2"}, {"field": "other"}])
def test_a_ciphertext_opens_in_its_own_place_only(moved: dict[str, str]) -> None:
    text = RING.encrypt("x", **PLACE)
    with pytest.raises(SecretUnreadable, match="does not open"):
        RING.decrypt(text, **{**PLACE, **moved})


def test_places_cannot_be_shifted_into_each_other() -> None:
    text = RING.encrypt("x", table="ab", row="c", field="d")
    with pytest.raises(SecretUnreadable):
        RING.decrypt(text, table="a", row="bc", field="d")


def test_every_changed_byte_is_noticed() -> None:
    raw = base64.urlsafe_b64decode(RING.encrypt("secret", **PLACE))
    for place in range(len(raw)):
        changed = bytearray(raw)
        changed[place] ^= 1
        with pytest.raises(SecretUnreadable):
            RING.decrypt(base64.urlsafe_b64encode(bytes(changed)).decode(), **PLACE)


@pytest.mark.parametrize("text", ["", "AA==", "not base64!", "é", base64.urlsafe_b64encode(b"\x01\x02k1").decode()])
def test_what_is_no_ciphertext_is_refused(text: str) -> None:
    with pytest.raises(SecretUnreadable):
        RING.decrypt(text, **PLACE)
    with pytest.raises(SecretUnreadable):
        RING.needs_rotation(text)


def test_the_newest_key_encrypts_and_all_decrypt() -> None:
    both = Cipher.from_keys(f" k2:{NEW} , k1:{OLD} ,")
    old, new = RING.encrypt("x", **PLACE), both.encrypt("x", **PLACE)
    assert both.decrypt(old, **PLACE) == both.decrypt(new, **PLACE) == "x"
    assert (both.needs_rotation(old), both.needs_rotation(new)) == (True, False)
    with pytest.raises(SecretUnreadable, match="'k2', which is not in ERP_ENCRYPTION_KEYS") as refused:
        RING.decrypt(new, **PLACE)
    assert "k2" in refused.value.mend


def test_another_key_under_the_same_id_does_not_open() -> None:
    with pytest.raises(SecretUnreadable):
        Cipher.from_keys(f"k1:{NEW}").decrypt(RING.encrypt("x", **PLACE), **PLACE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" , ", "empty"),
        (OLD, "entry 1 has no ':'"),
        (f"k1:{OLD},k2", "entry 2 has no ':'"),
        (f"k 1:{OLD}", "id of entry 1"),
        (f"k1:{OLD},k2:???", "key of entry 2 ('k2') is not base64"),
        (f"k1:{OLD[:-8]}", "bytes, not 32"),
        (f"k1:{OLD},k1:{NEW}", "entry 2 repeats the id 'k1'"),
    ],
    ids=range(8),  # not the keys: they differ in every process
)
def test_a_wrong_ring_is_refused_with_the_place_and_the_mend(text: str, said: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        Cipher.from_keys(text)
    assert said in refused.value.message
    assert "os.urandom(32)" in refused.value.mend
    assert OLD not in str(refused.value)


def test_keys_may_be_url_safe_base64() -> None:
    raw = bytes([251, 255] * 16)
    ring = Cipher.from_keys("k1:" + base64.urlsafe_b64encode(raw).decode())
    assert Cipher.from_keys("k1:" + base64.b64encode(raw).decode()).decrypt(ring.encrypt("x", **PLACE), **PLACE) == "x"


def test_nothing_shows_the_keys() -> None:
    assert OLD not in repr(RING)
    assert repr(base64.b64decode(OLD)) not in repr(RING)


def test_a_new_key_is_32_bytes_and_never_the_same() -> None:
    assert len(base64.b64decode(new_key())) == 32
    assert new_key() != new_key()
