package logs

import (
	"context"
	"strings"
)

// mostTags is how many tags a group may have.
const mostTags = 50

func checkTags(v *violations, tags map[string]string) {
	v.count("tags", len(tags), 0, mostTags)
	if len(tags) > mostTags {
		return
	}
	for key, value := range tags {
		v.text("tags.key", key, 1, 128, nil)
		v.text("tags.value", value, 0, 256, nil)
	}
}

func checkTagKeys(v *violations, path string, keys []string) {
	v.count(path, len(keys), 0, mostTags)
	if keys == nil {
		v.add(path, "Member must not be null")
	}
}

// resourceTarget is embedded in inputs that name a group by its ARN.
type resourceTarget struct {
	ARN string `json:"resourceArn"`
}

func (in *resourceTarget) resource(s *Service) string { return s.groupARN(s.groupOf(in.ARN)) }

func (in *resourceTarget) check(v *violations) {
	v.text("resourceArn", in.ARN, 1, 1011, identifierForm)
	if in.ARN != "" && !strings.HasPrefix(in.ARN, "arn:") {
		v.add("resourceArn", "Member must satisfy regular expression pattern: arn:.*")
	}
}

type tagGroupInput struct {
	ofGroup
	Tags map[string]string `json:"tags"`
}

func (in *tagGroupInput) check(v *violations) {
	in.ofGroup.check(v)
	checkTags(v, in.Tags)
	v.count("tags", len(in.Tags), 1, mostTags)
}

func (s *Service) tagLogGroup(_ context.Context, in *tagGroupInput) (nothing, error) {
	return nothing{}, s.tag(in.Group, in.Tags)
}

type tagResourceInput struct {
	resourceTarget
	Tags map[string]string `json:"tags"`
}

func (in *tagResourceInput) check(v *violations) {
	in.resourceTarget.check(v)
	checkTags(v, in.Tags)
	v.count("tags", len(in.Tags), 1, mostTags)
}

func (s *Service) tagResource(_ context.Context, in *tagResourceInput) (nothing, error) {
	return nothing{}, s.tag(s.groupOf(in.ARN), in.Tags)
}

func (s *Service) tag(group string, tags map[string]string) error {
	return s.alter(group, func(about *groupAbout) error {
		if about.Tags == nil {
			about.Tags = make(map[string]string, len(tags))
		}
		for key, value := range tags {
			if strings.HasPrefix(strings.ToLower(key), "aws:") {
				return answer(invalid, "Tags beginning with aws: are reserved.")
			}
			about.Tags[key] = value
		}
		if len(about.Tags) > mostTags {
			return answer("TooManyTagsException", "A resource can have at most %d tags.", mostTags)
		}
		return nil
	})
}

type untagGroupInput struct {
	ofGroup
	Keys []string `json:"tags"`
}

func (in *untagGroupInput) check(v *violations) {
	in.ofGroup.check(v)
	checkTagKeys(v, "tags", in.Keys)
}

func (s *Service) untagLogGroup(_ context.Context, in *untagGroupInput) (nothing, error) {
	return nothing{}, s.untag(in.Group, in.Keys)
}

type untagResourceInput struct {
	resourceTarget
	Keys []string `json:"tagKeys"`
}

func (in *untagResourceInput) check(v *violations) {
	in.resourceTarget.check(v)
	checkTagKeys(v, "tagKeys", in.Keys)
}

func (s *Service) untagResource(_ context.Context, in *untagResourceInput) (nothing, error) {
	return nothing{}, s.untag(s.groupOf(in.ARN), in.Keys)
}

func (s *Service) untag(group string, keys []string) error {
	return s.alter(group, func(about *groupAbout) error {
		for _, key := range keys {
			delete(about.Tags, key)
		}
		return nil
	})
}

type tagsOutput struct {
	Tags map[string]string `json:"tags"`
}

func (s *Service) listTagsLogGroup(_ context.Context, in *ofGroup) (tagsOutput, error) {
	return s.tags(in.Group)
}

func (s *Service) listTagsForResource(_ context.Context, in *resourceTarget) (tagsOutput, error) {
	return s.tags(s.groupOf(in.ARN))
}

func (s *Service) tags(group string) (tagsOutput, error) {
	g, err := s.find(group)
	if err != nil {
		return tagsOutput{}, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return tagsOutput{g.about.Tags}, nil // never changed, only replaced
}
