// Package parquet writes rows as Parquet files.
package parquet

import _ "github.com/parquet-go/parquet-go"
