package kms

import (
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"hydrant/internal/aws"
)

// maxPolicy is how long a policy may be. AWS documents 32 KB, and takes more characters
// only to refuse them later.
const maxPolicy = 32 << 10

// defaultPolicy is what AWS gives keys that are made without one.
const defaultPolicy = `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "ROOT"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`

// judgePolicy looks at the form of a policy only; empty stands for the default.
func judgePolicy(text string) error {
	if text != "" && jsontext.Value(text).Kind() == '{' && jsontext.Value(text).IsValid() || text == "" {
		return nil
	}
	return answer("MalformedPolicyDocumentException", "The new key policy is not valid JSON.")
}

type policyInput struct {
	named
	PolicyName string
}

func (in *policyInput) check(v *violations) {
	in.named.check(v)
	v.text("policyName", in.PolicyName, 0, 128, nil)
}

// judgeName knows the only name that policies have.
func (in *policyInput) judgeName() error {
	if in.PolicyName == "" || in.PolicyName == "default" {
		return nil
	}
	return keyError(notFound, "No such policy exists")
}

type getKeyPolicyOutput struct{ Policy, PolicyName string }

func (s *Service) getKeyPolicy(in *policyInput) (getKeyPolicyOutput, error) {
	k, err := s.existing(in.key)
	if err != nil {
		return getKeyPolicyOutput{}, err
	}
	if err := in.judgeName(); err != nil {
		return getKeyPolicyOutput{}, err
	}
	policy := k.Policy
	if policy == "" {
		root := aws.ARN{Partition: s.opt.Partition, Service: "iam", Account: s.opt.Account, Resource: "root"}
		policy = strings.Replace(defaultPolicy, "ROOT", root.String(), 1)
	}
	return getKeyPolicyOutput{policy, "default"}, nil
}

type putKeyPolicyInput struct {
	policyInput
	Policy string
}

func (in *putKeyPolicyInput) check(v *violations) {
	in.policyInput.check(v)
	v.text("policy", in.Policy, 1, maxPolicy, nil)
}

func (s *Service) putKeyPolicy(in *putKeyPolicyInput) (nothing, error) {
	if err := in.judgeName(); err != nil {
		return nothing{}, err
	}
	if err := judgePolicy(in.Policy); err != nil {
		return nothing{}, err
	}
	return nothing{}, s.alter(in.key, func(k *key) error {
		k.Policy = in.Policy
		return nil
	})
}
