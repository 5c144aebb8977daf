# Reads objects with pyarrow and, Parquet, also with DuckDB, which must see the same. Each
# line of input is what is wanted, rows or their count, and the path of an object; each line
# of output says what is in it.
import datetime, decimal, json, sys

import duckdb
import pyarrow.orc
import pyarrow.parquet


def plain(v):
    if isinstance(v, dict):
        return {str(k): plain(x) for k, x in v.items()}
    if isinstance(v, (list, tuple)):
        return [plain(x) for x in v]
    if isinstance(v, datetime.datetime):
        return v.replace(tzinfo=None).isoformat(sep=" ")
    if isinstance(v, (datetime.date, decimal.Decimal)):
        return str(v)
    if isinstance(v, (bytes, bytearray)):
        return "0x" + bytes(v).hex()
    return v


def text(rows):
    return [json.dumps(plain(r), separators=(",", ":"), ensure_ascii=False) for r in rows]


def columns(table):
    return ", ".join(f"{c.name} {c.type}" for c in table)


def duck(query, path):
    db = duckdb.connect()
    db.execute("set threads=1")
    return db.execute(query, [path])


def parquet(path, rows):
    f = pyarrow.parquet.ParquetFile(path, coerce_int96_timestamp_unit="us")
    m = f.metadata
    found = {
        "count": m.num_rows,
        "schema": columns(f.schema_arrow),
        "groups": m.num_row_groups,
        "codec": m.row_group(0).column(0).compression,
    }
    if not rows:
        read = sum(b.num_rows for b in f.iter_batches())
        seen = duck("select count(*) from read_parquet(?)", path).fetchone()[0]
        if read != m.num_rows or seen != m.num_rows:
            found["error"] = f"{m.num_rows} rows, pyarrow reads {read} and DuckDB {seen}"
        return found
    table = f.read()
    found["schema"] = columns(table.schema)
    found["rows"] = text(table.to_pylist(maps_as_pydicts="strict"))
    cursor = duck("select * from read_parquet(?)", path)
    names = [d[0] for d in cursor.description]
    if text(dict(zip(names, r)) for r in cursor.fetchall()) != found["rows"]:
        found["error"] = "DuckDB sees other rows than pyarrow"
    return found


def orc(path, rows):
    f = pyarrow.orc.ORCFile(path)
    found = {"count": f.nrows, "schema": columns(f.schema), "groups": f.nstripes, "codec": f.compression}
    if rows:
        found["rows"] = text(f.read().to_pylist(maps_as_pydicts="strict"))
        return found
    read = sum(f.read_stripe(i).num_rows for i in range(f.nstripes))
    if read != f.nrows:
        found["error"] = f"{f.nrows} rows, pyarrow reads {read}"
    return found


for line in sys.stdin:
    what, path = line.rstrip("\n").split(" ", 1)
    try:
        found = (parquet if path.endswith(".parquet") else orc)(path, what == "rows")
    except Exception as e:
        found = {"error": f"{type(e).__name__}: {e}"}
    print(json.dumps(found), flush=True)
