package kms

import (
	"slices"
	"strings"

	"hydrant/internal/aws"
)

const (
	aliasPrefix   = "alias/"
	managedPrefix = "alias/aws/"
)

// managedServices are those whose aliases make a key. The list bounds how many keys
// describing them can make.
var managedServices = []string{
	"acm", "backup", "cloudwatch", "codecommit", "connect", "dms", "dynamodb", "ebs", "elasticfilesystem",
	"es", "firehose", "fsx", "glue", "kafka", "kinesis", "kinesisvideo", "lambda", "lex", "rds", "redshift",
	"s3", "secretsmanager", "sns", "sqs", "ssm", "workspaces", "xray",
}

// target is what a KeyId of a request stands for, found once, so that what is allowed is
// what is done even if an alias moves meanwhile.
type target struct {
	id  string // of the key; it exists, unless err says otherwise
	arn string // to be allowed on, also if there is no such key
	err error
}

func (s *Service) arn(resource string) string {
	return aws.ARN{
		Partition: s.opt.Partition, Service: "kms", Region: s.opt.Region, Account: s.opt.Account, Resource: resource,
	}.String()
}

func (s *Service) keyARN(id string) string { return s.arn("key/" + id) }

// find returns what a key id, key ARN, alias or alias ARN stands for.
func (s *Service) find(name string) target {
	local := name
	if strings.HasPrefix(name, "arn:") {
		resource, ok := strings.CutPrefix(name, s.arn(""))
		id, isKey := strings.CutPrefix(resource, "key/")
		if !ok || !strings.HasPrefix(resource, aliasPrefix) && !(isKey && isKeyID(id)) {
			return target{arn: "*", err: keyError(notFound, "Invalid arn %s", clip(name))}
		}
		if local = resource; isKey {
			local = id
		}
	}
	if strings.HasPrefix(local, aliasPrefix) {
		return s.findAlias(local)
	}
	if !isKeyID(local) {
		return target{arn: "*", err: keyError(notFound, "Invalid keyId %s", clip(name))}
	}
	_, err := s.lookup(local)
	return target{id: local, arn: s.keyARN(local), err: err}
}

// findAlias returns what an alias stands for. A managed key is made even before it is known
// whether the caller may use it: policies name it by its id, which it must have for that.
func (s *Service) findAlias(name string) target {
	if service, ok := strings.CutPrefix(name, managedPrefix); ok && slices.Contains(managedServices, service) {
		id, err := s.managedKey(service)
		if err != nil {
			return target{arn: s.arn(name), err: err}
		}
		return target{id: id, arn: s.keyARN(id)}
	}
	s.catchUp()
	s.mu.RLock()
	a, ok := s.aliases[name]
	s.mu.RUnlock()
	if !ok {
		return target{arn: s.arn(clip(name)), err: s.noAlias(name)}
	}
	_, err := s.lookup(a.Target)
	return target{id: a.Target, arn: s.keyARN(a.Target), err: err}
}

// managedKey returns the id of a service's key, which is made at its first use.
func (s *Service) managedKey(service string) (string, error) {
	if id := s.managedID(service); id != "" {
		return id, nil
	}
	s.change.Lock()
	defer s.change.Unlock()
	if id := s.managedID(service); id != "" {
		return id, nil
	}
	k := &key{Managed: service, Description: "Default key that protects my " + service + " data when no other key is defined"}
	if err := s.add(k); err != nil {
		return "", err
	}
	return k.ID, nil
}

func (s *Service) managedID(service string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.managed[service]
}

// clip keeps names in messages and questions short.
func clip(name string) string {
	const most = 300
	if len(name) <= most {
		return name
	}
	return strings.ToValidUTF8(name[:most], "")
}
