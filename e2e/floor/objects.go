package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/klauspost/compress/gzip"
	"golang.org/x/sync/semaphore"
)

// uploads is how many objects are on their way to the store at once.
const uploads = 4

// A storePut stores one object.
type storePut func(name string, data []byte) error

// objects compresses arenas into objects and stores them.
type objects struct {
	put    storePut
	limit  int // raw bytes of an object
	level  int
	budget *semaphore.Weighted
	fail   func(error)
	in     chan *arena
	ended  chan struct{}

	buffers chan *bytes.Buffer // taken by an object while it is filled and uploaded
	under   sync.WaitGroup     // uploads
	count   atomic.Int64
	bytes   atomic.Int64
}

func newObjects(put storePut, limit, level int, budget *semaphore.Weighted, fail func(error)) *objects {
	o := &objects{
		put: put, limit: limit, level: level, budget: budget, fail: fail,
		in: make(chan *arena, 64), ended: make(chan struct{}), buffers: make(chan *bytes.Buffer, uploads+1),
	}
	for range cap(o.buffers) {
		o.buffers <- &bytes.Buffer{}
	}
	return o
}

// run fills and stores objects until the log closes its end.
func (o *objects) run() {
	defer close(o.ended)
	buffer := <-o.buffers
	zip, err := gzip.NewWriterLevel(buffer, o.level)
	if err != nil {
		o.fail(fmt.Errorf("gzip level %d: %w", o.level, err))
		return
	}
	raw := 0
	seal := func() {
		err = errors.Join(err, zip.Close())
		o.upload(buffer)
		buffer, raw = <-o.buffers, 0
		zip.Reset(buffer)
	}
	for a := range o.in {
		if a.settled != nil {
			if raw > 0 {
				seal()
			}
			o.under.Wait()
			close(a.settled)
			continue
		}
		if raw > 0 && raw+len(a.data) > o.limit {
			seal()
		}
		_, werr := zip.Write(a.data)
		err = errors.Join(err, werr)
		raw += len(a.data)
		a.release(a)
	}
	if raw > 0 {
		seal()
	}
	o.under.Wait()
	if err != nil {
		o.fail(fmt.Errorf("compressing: %w", err))
	}
}

// upload stores an object in the background and gives its buffer back.
func (o *objects) upload(buffer *bytes.Buffer) {
	name := fmt.Sprintf("floor-%08d.gz", o.count.Add(1))
	o.bytes.Add(int64(buffer.Len()))
	o.under.Go(func() {
		if err := o.put(name, buffer.Bytes()); err != nil {
			o.fail(fmt.Errorf("storing %s: %w", name, err))
		}
		buffer.Reset()
		o.buffers <- buffer
	})
}

// settle stores what there is, full or not, and returns when the store has everything that
// was passed on before.
func (o *objects) settle() {
	settled := make(chan struct{})
	o.in <- &arena{settled: settled}
	<-settled
}

// close waits until everything is stored. The log must be closed.
func (o *objects) close() { <-o.ended }

// newStore returns how objects are stored: in an S3 store, or as files.
func newStore(o options, accessKey, secret string) (storePut, error) {
	if o.store == "" {
		folder := filepath.Join(o.dir, "objects")
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return nil, fmt.Errorf("folder for objects: %w", err)
		}
		return func(name string, data []byte) error { return writeFile(folder, name, data) }, nil
	}
	client := s3.New(s3.Options{
		BaseEndpoint:               aws.String(o.store),
		Region:                     o.region,
		UsePathStyle:               true,
		Credentials:                credentials.NewStaticCredentialsProvider(accessKey, secret, ""),
		Retryer:                    aws.NopRetryer{},
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired,
		HTTPClient:                 &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: uploads}},
	})
	var extra []func(*s3.Options)
	if o.unsigned {
		extra = append(extra, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware))
	}
	return func(name string, data []byte) error {
		_, err := client.PutObject(context.Background(), &s3.PutObjectInput{
			Bucket: &o.bucket, Key: &name, Body: bytes.NewReader(data), ContentEncoding: aws.String("gzip"),
		}, extra...)
		return err
	}, nil
}

// writeFile is the least that a store of files does: the file is whole and on disk before
// it has its name, and the name is on disk before the answer.
func writeFile(folder, name string, data []byte) error {
	staged := filepath.Join(folder, "."+name)
	f, err := os.OpenFile(staged, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(staged, filepath.Join(folder, name)); err != nil {
		return err
	}
	d, err := os.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
