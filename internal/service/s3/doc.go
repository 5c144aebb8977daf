// Package s3 is the object store for one machine: buckets as folders, served over the
// Amazon S3 REST API. Objects are plain files that a person can open; whatever S3 knows of
// them beside their bytes lies in a parallel tree.
//
//		<root>/buckets/<bucket>/<path of the key>            the bytes of an object
//		<root>/meta/<bucket>/<path of the key>%.json         its sidecar
//		<root>/meta/<bucket>/%bucket.json                    when and where the bucket was made
//		<root>/uploads/<upload id>/upload.json               an upload in progress, and its parts
//		<root>/staging/                                      files being written, swept at the start
//
//	  - Object: bytes under a key. It appears whole, synced to disk, or not at all.
//	  - Info: what is known of an object beside its bytes: size, ETag, headers, checksum.
//	  - Sidecar: the file that keeps Infos. It names the size and the time of last change of
//	    the file it speaks of, and is written before that file. So it holds two Infos while
//	    an object is being replaced, and whichever file a crash leaves there is described.
//	  - Foreign file: one without a fitting sidecar, because a person put or changed it. It
//	    is served with defaults, and an ETag made of its size and time of last change.
//	  - Component: what stands between two slashes of a key. keys.go says how it becomes a
//	    file name.
//	  - Displaced object: the object a kept in the file a%, since a/b needs a folder named a.
//	  - Encrypted object: one whose file is not its bytes but seals them under a data key of its
//	    own, which a KMS made and has wrapped (SSE-KMS, SSE-S3). seal.go draws the file.
//	  - Segment: the encrypted form of one put or one part. A chunk is 64 KiB of it.
//	  - Upload: a multipart upload. Its parts are invisible until it is completed.
//	  - Tree lock: one per bucket. Shared by those who put or remove files in existing
//	    folders, exclusive for those who make or remove folders or displace objects.
//
// The path of a put reads top-down in commit.go. Names are case-sensitive, as the file
// system under root must be. Nobody else may write into root while the store is open,
// except that a person may copy whole files into a bucket.
package s3
