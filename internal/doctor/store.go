package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// countBuckets counts the objects of the built-in store: each is a plain file in the folder
// of its bucket. Without the folder there is no built-in store, and no bucket.
func countBuckets(ctx context.Context, folder string) ([]Bucket, error) {
	buckets := []Bucket{}
	entries, err := os.ReadDir(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return buckets, nil
	}
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		b := Bucket{Name: e.Name()}
		err := filepath.WalkDir(filepath.Join(folder, e.Name()), func(_ string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				return errors.Join(err, ctx.Err())
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			b.Objects++
			b.Bytes += uint64(info.Size())
			return ctx.Err()
		})
		if err != nil {
			return nil, err
		}
		buckets = append(buckets, b)
	}
	return buckets, nil
}

// listFiles lists all files below a folder, which may be missing.
func listFiles(folder string) ([]File, error) {
	var files []File
	err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && path == folder {
			return fs.SkipAll
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		files = append(files, File{name, info.Size(), info.ModTime().UTC()})
		return nil
	})
	return files, err
}

// sizeOf adds up the files of a folder.
func sizeOf(folder string) (uint64, error) {
	files, err := listFiles(folder)
	var sum uint64
	for _, f := range files {
		sum += uint64(f.Bytes)
	}
	return sum, err
}
