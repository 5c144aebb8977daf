package logs

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// standard is the class of a group that was made without one.
const standard = "STANDARD"

type createGroupInput struct {
	ofGroup
	KeyID     string            `json:"kmsKeyId"`
	Tags      map[string]string `json:"tags"`
	Class     string            `json:"logGroupClass"`
	Protected bool              `json:"deletionProtectionEnabled"`
}

func (in *createGroupInput) check(v *violations) {
	in.ofGroup.check(v)
	v.text("kmsKeyId", in.KeyID, 0, 256, nil)
	v.oneOf("logGroupClass", in.Class, standard, "INFREQUENT_ACCESS", "DELIVERY")
	checkTags(v, in.Tags)
}

func (s *Service) createLogGroup(_ context.Context, in *createGroupInput) (nothing, error) {
	s.change.Lock()
	defer s.change.Unlock()
	if _, err := s.find(in.Group); err == nil {
		return nothing{}, answer(exists, "The specified log group already exists")
	}
	name := folderName(in.Group)
	if s.damaged[name] {
		return nothing{}, fmt.Errorf("log group %q: %w", in.Group, errDamaged)
	}
	class := in.Class
	if class == "" {
		class = standard
	}
	g := &group{
		folder: filepath.Join(s.folder, name), streams: make(map[string]*stream), damaged: make(map[string]bool),
		about: groupAbout{
			Name: in.Group, Created: s.now(), Class: class, KeyID: in.KeyID, Protected: in.Protected, Tags: in.Tags,
		},
	}
	if err := describe(g.folder, groupFile, g.about); err != nil {
		return nothing{}, fmt.Errorf("make log group %q: %w", in.Group, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.groups[in.Group] = g
	return nothing{}, nil
}

func (s *Service) deleteLogGroup(_ context.Context, in *ofGroup) (nothing, error) {
	s.change.Lock()
	defer s.change.Unlock()
	g, err := s.find(in.Group)
	if err != nil {
		return nothing{}, err
	}
	if g.about.Protected {
		return nothing{}, answer(validation, "The log group cannot be deleted because deletion protection is enabled.")
	}
	streams := s.allStreams(g)
	s.mu.Lock()
	delete(s.groups, in.Group)
	s.mu.Unlock()
	kill(streams...)
	if err := bury(g.folder); err != nil {
		s.damaged[folderName(in.Group)] = true // it may be back after a restart
		return nothing{}, fmt.Errorf("delete log group %q: %w", in.Group, err)
	}
	return nothing{}, nil
}

type protectInput struct {
	Identifier string `json:"logGroupIdentifier"`
	Protected  *bool  `json:"deletionProtectionEnabled"`
}

func (in *protectInput) resource(s *Service) string { return s.streamARN(s.groupOf(in.Identifier), "") }

func (in *protectInput) check(v *violations) {
	v.text("logGroupIdentifier", in.Identifier, 1, 2048, identifierForm)
	if in.Protected == nil {
		v.add("deletionProtectionEnabled", "Member must not be null")
	}
}

func (s *Service) putLogGroupDeletionProtection(_ context.Context, in *protectInput) (nothing, error) {
	return nothing{}, s.alter(s.groupOf(in.Identifier), func(about *groupAbout) error {
		about.Protected = *in.Protected
		return nil
	})
}

// retentions are the days that a group may keep its events.
var retentions = []int{
	1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
}

type retentionInput struct {
	ofGroup
	Days *int `json:"retentionInDays"`
}

func (in *retentionInput) check(v *violations) {
	in.ofGroup.check(v)
	switch {
	case in.Days == nil:
		v.add("retentionInDays", "Member must not be null")
	case !slices.Contains(retentions, *in.Days):
		set := strings.ReplaceAll(strings.Trim(fmt.Sprint(retentions), "[]"), " ", ", ")
		v.add("retentionInDays", "Member must satisfy enum value set: [%s]", set)
	}
}

func (s *Service) putRetentionPolicy(_ context.Context, in *retentionInput) (nothing, error) {
	return nothing{}, s.retain(in.Group, *in.Days)
}

func (s *Service) deleteRetentionPolicy(_ context.Context, in *ofGroup) (nothing, error) {
	return nothing{}, s.retain(in.Group, 0)
}

func (s *Service) retain(group string, days int) error {
	return s.alter(group, func(about *groupAbout) error {
		about.Retention = days
		return nil
	})
}

type describeGroupsInput struct {
	pager
	Prefix      string   `json:"logGroupNamePrefix"`
	Pattern     string   `json:"logGroupNamePattern"`
	Class       string   `json:"logGroupClass"`
	Identifiers []string `json:"logGroupIdentifiers"`
}

func (*describeGroupsInput) resource(s *Service) string { return s.streamARN("", "") }

func (in *describeGroupsInput) check(v *violations) {
	in.pager.check(v)
	v.text("logGroupNamePrefix", in.Prefix, 0, 512, groupForm)
	v.text("logGroupNamePattern", in.Pattern, 0, 512, groupForm)
	v.oneOf("logGroupClass", in.Class, standard, "INFREQUENT_ACCESS", "DELIVERY")
	v.count("logGroupIdentifiers", len(in.Identifiers), 0, 50)
}

type groupOutput struct {
	Name          string `json:"logGroupName"`
	Created       int64  `json:"creationTime"`
	Retention     int    `json:"retentionInDays,omitzero"`
	MetricFilters int    `json:"metricFilterCount"`
	ARN           string `json:"arn"`
	GroupARN      string `json:"logGroupArn"`
	Stored        int64  `json:"storedBytes"`
	KeyID         string `json:"kmsKeyId,omitempty"`
	Class         string `json:"logGroupClass"`
	Protected     bool   `json:"deletionProtectionEnabled"`
}

type describeGroupsOutput struct {
	Groups []groupOutput `json:"logGroups"`
	Next   string        `json:"nextToken,omitempty"`
}

func (s *Service) describeLogGroups(_ context.Context, in *describeGroupsInput) (describeGroupsOutput, error) {
	if in.Prefix != "" && in.Pattern != "" {
		return describeGroupsOutput{}, answer(invalid, "Only one of logGroupNamePrefix and logGroupNamePattern can be specified.")
	}
	wanted := make(map[string]bool, len(in.Identifiers))
	for _, id := range in.Identifiers {
		wanted[s.groupOf(id)] = true
	}
	found := make([]cursor, 0)
	s.mu.RLock()
	for name, g := range s.groups {
		if strings.HasPrefix(name, in.Prefix) && strings.Contains(name, in.Pattern) &&
			(in.Class == "" || in.Class == g.about.Class) && (len(wanted) == 0 || wanted[name]) {
			found = append(found, cursor{Name: name})
		}
	}
	s.mu.RUnlock()
	page, next, err := in.page(found, false)
	if err != nil {
		return describeGroupsOutput{}, err
	}
	out := describeGroupsOutput{Groups: make([]groupOutput, 0, len(page)), Next: next}
	for _, c := range page {
		if g, err := s.find(c.Name); err == nil {
			out.Groups = append(out.Groups, s.groupOutput(g))
		}
	}
	return out, nil
}

func (s *Service) groupOutput(g *group) groupOutput {
	s.mu.RLock()
	about := g.about
	s.mu.RUnlock()
	out := groupOutput{
		Name: about.Name, Created: about.Created, Retention: about.Retention, KeyID: about.KeyID,
		GroupARN: s.groupARN(about.Name), ARN: s.groupARN(about.Name) + ":*", Class: about.Class, Protected: about.Protected,
	}
	for _, st := range s.allStreams(g) {
		out.Stored += st.summary().stored
	}
	return out
}
