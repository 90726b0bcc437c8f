"""HDF5 files of others: what they hold is in them, can be decoded, and is no larger than they can be."""

from pathlib import Path

import h5py

# DEFLATE makes at most 1032 bytes of one.
_LARGEST_RATIO = 1100
_SLACK_BYTES = 2**20
_MOST_OBJECTS = 200_000


def check_hdf5(path: str | Path) -> None:
    """Look through the structure of a file, without reading its data.

    Raises:
        ValueError: it is damaged or no HDF5; it has links other than hard ones, data that are elsewhere (external storage,
            virtual datasets), a filter that this HDF5 lacks, or a dataset whose declared size cannot be in the file.
    """
    path = Path(path)
    try:
        with h5py.File(path, "r") as file:
            _walk(file, path)
    except (OSError, RuntimeError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged or no HDF5 file: {' '.join(str(error).split())[:300]}") from None


def _walk(file: h5py.File, path: Path) -> None:
    size = path.stat().st_size
    pending: list[h5py.Group] = [file]
    seen = {h5py.h5o.get_info(file.id).addr}
    while pending:
        group = pending.pop()
        for name in group:
            where = f"{path}: {group.name.rstrip('/')}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{where} is a soft or external link; data in the file itself are allowed only")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            if len(seen) > _MOST_OBJECTS:
                raise ValueError(f"{path} has more than {_MOST_OBJECTS:,} objects, which is not allowed")
            if isinstance(item, h5py.Group):
                pending.append(item)
            elif isinstance(item, h5py.Dataset):
                _check_dataset(item, where, size)


def _check_dataset(dataset: h5py.Dataset, where: str, file_bytes: int) -> None:
    creation = dataset.id.get_create_plist()
    if dataset.is_virtual or creation.get_external_count():
        raise ValueError(f"{where} has its data in other files; data in the file itself are allowed only")
    for number in range(creation.get_nfilters()):
        code, _, _, name = creation.get_filter(number)
        if not h5py.h5z.filter_avail(code):
            raise ValueError(
                f"{where} is packed with a filter that is not there ({code}: {name.decode(errors='replace')})"
            )
    declared = dataset.size * dataset.dtype.itemsize if dataset.shape is not None else 0
    if declared > _LARGEST_RATIO * file_bytes + _SLACK_BYTES:
        raise ValueError(
            f"{where} declares {dataset.shape}, {declared:,} bytes, more than a file of {file_bytes:,} bytes can hold"
        )
