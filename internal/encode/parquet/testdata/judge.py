"""Reads Parquet files with pyarrow and with DuckDB and compares them with what was written.

    judge.py FOLDER

For each NAME.parquet there is a NAME.json: {"rows": n, "columns": {name: [values]}}. Values
are as in model_test.go. The statistics of columns that are not inside of others are compared
with the values too. Differences are printed; the exit code is 1 if there was one.
"""

import json
import pathlib
import struct
import sys

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


def number(x):
    """The bits of a float, and one text for all NaN."""
    return "nan" if x != x else struct.pack(">d", x).hex()


def coarse(x, t):
    """A value as a reader has it whose timestamps are microseconds, rounded down: DuckDB."""
    if x is None:
        return None
    if pa.types.is_timestamp(t) and t.unit == "us":
        return str(int(x) // 1000 * 1000)
    if pa.types.is_map(t):
        return [[coarse(k, t.key_type), coarse(v, t.item_type)] for k, v in x]
    if pa.types.is_list(t):
        return [coarse(e, t.value_type) for e in x]
    if pa.types.is_struct(t):
        return [coarse(e, t.field(i).type) for i, e in enumerate(x)]
    return x


def model(a):
    """The values of an Arrow array as in model_test.go."""
    if isinstance(a, pa.ChunkedArray):
        a = a.combine_chunks()
    if isinstance(a, pa.ChunkedArray):
        a = pa.concat_arrays(a.chunks) if a.num_chunks else pa.array([], a.type)
    t, here = a.type, a.is_valid().to_pylist()
    if pa.types.is_map(t):
        keys, items, at = model(a.keys), model(a.items), a.offsets.to_pylist()
        pairs = [list(p) for p in zip(keys, items)]
        return [pairs[at[i]:at[i + 1]] if h else None for i, h in enumerate(here)]
    if pa.types.is_list(t) or pa.types.is_large_list(t):
        inner, at = model(a.values), a.offsets.to_pylist()
        return [inner[at[i]:at[i + 1]] if h else None for i, h in enumerate(here)]
    if pa.types.is_struct(t):
        fields = [model(a.field(i)) for i in range(t.num_fields)]
        return [[f[i] for f in fields] if h else None for i, h in enumerate(here)]
    return primitives(a, t)


def primitives(a, t):
    if pa.types.is_timestamp(t):
        factor = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[t.unit]
        return [None if x is None else str(x * factor) for x in a.cast(pa.int64()).to_pylist()]
    if pa.types.is_date32(t):
        a = a.cast(pa.int32())
    values = a.to_pylist()
    if pa.types.is_floating(t):
        return [None if x is None else number(x) for x in values]
    if pa.types.is_decimal(t):
        return [None if x is None else format(x, "f") for x in values]
    if pa.types.is_binary(t) or pa.types.is_large_binary(t):
        return [None if x is None else bytes(x).hex() for x in values]
    if pa.types.is_integer(t) or pa.types.is_date32(t):
        return [None if x is None else str(x) for x in values]
    return values


def statistics(path, failures):
    f = pq.ParquetFile(path)
    tops = {c: i for i in range(f.metadata.num_columns) for c in [f.metadata.schema.column(i).path]}
    for g in range(f.metadata.num_row_groups):
        table = f.read_row_group(g)
        for name, i in tops.items():
            if name not in table.column_names or pa.types.is_nested(table.schema.field(name).type):
                continue
            compare(path, name, f.metadata.row_group(g).column(i).statistics, table.column(name), failures)


def compare(path, name, s, column, failures):
    t = column.type
    values = [x for x in column.to_pylist() if x is not None and x == x] if not pa.types.is_timestamp(t) else []
    if s is None or s.null_count != column.null_count:
        failures.append(f"{path}: {name}: null count {s and s.null_count} instead of {column.null_count}")
        return
    if s.has_min_max != bool(values):
        failures.append(f"{path}: {name}: has bounds: {s.has_min_max} with {len(values)} values")
        return
    if pa.types.is_string(t):
        values = [x.encode() for x in values]
    if values and (raw(s.min), raw(s.max)) != (min(values), max(values)):
        failures.append(f"{path}: {name}: bounds {s.min!r}, {s.max!r} instead of {min(values)!r}, {max(values)!r}")


def raw(x):
    return x.encode() if isinstance(x, str) else x


def check(path, failures):
    want = json.loads(path.with_suffix(".json").read_text())
    table = pq.read_table(path, page_checksum_verification=True)
    table.validate(full=True)
    duck = duckdb.sql(f"SELECT * FROM read_parquet('{path}')").to_arrow_table()
    for reader, t in (("pyarrow", table), ("duckdb", duck)):
        if t.num_rows != want["rows"] or t.column_names != list(want["columns"]):
            failures.append(f"{path}: {reader}: {t.num_rows} rows of {t.column_names}")
            continue
        for name, column in want["columns"].items():
            got = model(t.column(name))
            if reader == "duckdb":
                column = [coarse(x, t.schema.field(name).type) for x in column]
            if got != column:
                i = next(i for i in range(len(got)) if got[i] != column[i])
                failures.append(f"{path}: {reader}: {name}, {t.schema.field(name).type}, row {i}: {got[i]!r} instead of {column[i]!r}")
    statistics(path, failures)


def main():
    failures, files = [], sorted(pathlib.Path(sys.argv[1]).glob("*.parquet"))
    for path in files:
        try:
            check(path, failures)
        except Exception as e:  # a file that a reader refuses is a finding, not the end
            failures.append(f"{path}: {type(e).__name__}: {e}")
    print("\n".join(failures[:20]))
    print(f"{len(files)} files, {len(failures)} differences")
    sys.exit(bool(failures))


main()
