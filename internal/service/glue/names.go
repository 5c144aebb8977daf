package glue

import (
	"strings"
	"unicode/utf8"

	"hydrant/internal/aws"
)

// fold is the form of a name that is stored and compared.
func fold(name string) string { return strings.ToLower(name) }

func (s *Service) arn(resource string) string {
	return aws.ARN{
		Partition: s.opt.Partition, Service: "glue", Region: s.opt.Region, Account: s.opt.Account, Resource: resource,
	}.String()
}

// resources are what permission is asked for: the catalogue, and what is in it down to what
// the request is about (spec neighbours.md section 3.2). Empty names are left out.
func (s *Service) resources(database, table string) []string {
	all := []string{s.arn("catalog")}
	if database != "" {
		all = append(all, s.arn("database/"+clip(fold(database))))
	}
	if table != "" {
		all = append(all, s.arn("table/"+clip(fold(database))+"/"+clip(fold(table))))
	}
	return all
}

// catalog refuses other catalogues than the one there is.
func (s *Service) catalog(id string) error {
	if id != "" && id != s.opt.Account {
		return refuse(NotFound, "Catalog %s not found.", clip(id))
	}
	return nil
}

// clip keeps names in messages and questions short.
func clip(name string) string {
	const most = 300
	if len(name) <= most {
		return name
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(name[cut]) {
		cut--
	}
	return name[:cut]
}
