package kms

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tag struct{ TagKey, TagValue string }

// mostListed bounds the tags of one request, and so how much can be found wrong with them.
const mostListed = 200

func checkTags(v *violations, tags []tag) {
	if len(tags) > mostListed {
		v.add("tags", "Member must have length less than or equal to %d", mostListed)
		return
	}
	for i, t := range tags {
		v.text(fmt.Sprintf("tags.%d.member.tagKey", i+1), t.TagKey, 1, 128, nil)
		v.text(fmt.Sprintf("tags.%d.member.tagValue", i+1), t.TagValue, 0, 256, nil)
	}
}

// tag sets tags of a key that nobody else sees yet.
func (k *key) tag(tags []tag) error {
	if k.Tags == nil {
		k.Tags = make(map[string]string, len(tags))
	}
	for _, t := range tags {
		if strings.HasPrefix(strings.ToLower(t.TagKey), "aws:") {
			return answer("TagException", "Tags beginning with aws: are reserved.")
		}
		k.Tags[t.TagKey] = t.TagValue
	}
	if len(k.Tags) > maxTags {
		return answer(limitExceeded, "Too many tags: a key may have %d.", maxTags)
	}
	return nil
}

type tagInput struct {
	named
	Tags []tag
}

func (in *tagInput) check(v *violations) {
	in.named.check(v)
	if in.Tags == nil {
		v.add("tags", "Member must not be null")
	}
	checkTags(v, in.Tags)
}

func (s *Service) tagResource(in *tagInput) (nothing, error) {
	return nothing{}, s.alterLiving(in.key, func(k *key) error { return k.tag(in.Tags) })
}

type untagInput struct {
	named
	TagKeys []string
}

func (in *untagInput) check(v *violations) {
	in.named.check(v)
	if in.TagKeys == nil {
		v.add("tagKeys", "Member must not be null")
	}
	if len(in.TagKeys) > mostListed {
		v.add("tagKeys", "Member must have length less than or equal to %d", mostListed)
		return
	}
	for i, name := range in.TagKeys {
		if n := utf8.RuneCountInString(name); n < 1 || n > 128 {
			v.add(fmt.Sprintf("tagKeys.%d.member", i+1), "Member must have length between 1 and 128")
		}
	}
}

func (s *Service) untagResource(in *untagInput) (nothing, error) {
	return nothing{}, s.alterLiving(in.key, func(k *key) error {
		for _, name := range in.TagKeys {
			delete(k.Tags, name)
		}
		return nil
	})
}

type listTagsInput struct {
	named
	pager
}

func (in *listTagsInput) check(v *violations) {
	in.named.check(v)
	in.checkPage(v, 50)
}

type listTagsOutput struct {
	Tags []tag
	more
}

func (s *Service) listResourceTags(in *listTagsInput) (listTagsOutput, error) {
	k, err := s.existing(in.key)
	if err != nil {
		return listTagsOutput{}, err
	}
	all := make([]tag, 0, len(k.Tags))
	for name, value := range k.Tags {
		all = append(all, tag{name, value})
	}
	tags, more, err := page(&in.pager, 50, all, func(t tag) string { return t.TagKey })
	return listTagsOutput{tags, more}, err
}
