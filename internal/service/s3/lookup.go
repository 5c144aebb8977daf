package s3

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// openObject opens the object under key for reading. The file stays the same object even
// when the key is replaced or deleted meanwhile.
func (s *Store) openObject(bucket, key string) (*os.File, Info, error) {
	f, info, ok, err := s.tryOpen(bucket, key)
	if err == nil && !ok {
		// The object was replaced between the two reads, or the file is foreign: with the
		// key held still, it is foreign.
		if err := f.Close(); err != nil {
			return nil, Info{}, err
		}
		unlock := s.lockKey(bucket, key)
		f, info, _, err = s.tryOpen(bucket, key)
		unlock()
	}
	if err != nil {
		return nil, Info{}, s.absentObject(bucket, key, err)
	}
	if info.damaged {
		err := fmt.Errorf("open %s/%s: %w: nothing is known of its key", bucket, key, errSealBroken)
		return nil, Info{}, errors.Join(err, f.Close())
	}
	return f, info, nil
}

// tryOpen opens the file of an object and reads its sidecar. ok is false if the sidecar
// does not speak of the file; the Info is a foreign file's then.
func (s *Store) tryOpen(bucket, key string) (f *os.File, info Info, ok bool, err error) {
	path, _, err := s.findFile(bucket, key)
	if err != nil {
		return nil, Info{}, false, err
	}
	f, err = os.Open(path)
	if isAbsent(err) { // displaced in between; it is never put back
		f, err = os.Open(s.objectPath(bucket, key) + displacedMark)
	}
	if err != nil {
		return nil, Info{}, false, err
	}
	file, err := f.Stat()
	if err == nil {
		info, ok, err = s.infoOf(bucket, key, file, func() bool { return isSealed(f) })
	}
	if err != nil {
		return nil, Info{}, false, errors.Join(err, f.Close())
	}
	return f, info, ok, nil
}

// statObject returns the Info of the object under key.
func (s *Store) statObject(bucket, key string) (Info, error) {
	info, ok, err := s.tryStat(bucket, key)
	if err == nil && !ok {
		unlock := s.lockKey(bucket, key)
		info, _, err = s.tryStat(bucket, key)
		unlock()
	}
	if err != nil {
		return Info{}, s.absentObject(bucket, key, err)
	}
	return info, nil
}

func (s *Store) tryStat(bucket, key string) (Info, bool, error) {
	path, file, err := s.findFile(bucket, key)
	if err != nil {
		return Info{}, false, err
	}
	return s.infoOf(bucket, key, file, func() bool { return isSealedFile(path) })
}

// infoOf finds what is known of a file that holds the object under key.
func (s *Store) infoOf(bucket, key string, file fs.FileInfo, sealed func() bool) (Info, bool, error) {
	side, err := readSidecar(s.sidecarPath(bucket, key))
	if err != nil {
		return Info{}, false, err
	}
	info, ok := side.match(file, sealed)
	return info, ok, nil
}

// absentObject says what it means that an object's file cannot be opened.
func (s *Store) absentObject(bucket, key string, err error) error {
	if !isAbsent(err) {
		return fmt.Errorf("look up %s/%s: %w", bucket, key, err)
	}
	if err := s.requireBucket(bucket); err != nil {
		return err
	}
	return with(errNoSuchKey, "Key", key)
}
