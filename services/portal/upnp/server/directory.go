package server

import (
	"context"
	"strconv"

	"manofwar/services/portal/upnp"
	"manofwar/services/portal/upnp/didl"
	"manofwar/services/portal/upnp/gena"
	"manofwar/services/portal/upnp/soap"
)

// The faults (ContentDirectory:1, section 2.7).
var (
	errNoObject    = &soap.Fault{Code: 701, Text: "No such object"}
	errCriteria    = &soap.Fault{Code: 708, Text: "Unsupported or invalid search criteria"}
	errNoContainer = &soap.Fault{Code: 710, Text: "No such container"}
)

// newDirectory describes ContentDirectory:1: what it requires, and Search.
func (s *Server) newDirectory() *upnp.Service {
	arg := func(name, variable string) upnp.Argument { return upnp.Argument{Name: name, Variable: variable} }
	same := func(name, value string) func(context.Context, map[string]string) (map[string]string, error) {
		return func(context.Context, map[string]string) (map[string]string, error) {
			return map[string]string{name: value}, nil
		}
	}
	page := []upnp.Argument{
		arg("Filter", "A_ARG_TYPE_Filter"), arg("StartingIndex", "A_ARG_TYPE_Index"), arg("RequestedCount", "A_ARG_TYPE_Count"), arg("SortCriteria", "A_ARG_TYPE_SortCriteria"),
	}
	result := []upnp.Argument{
		arg("Result", "A_ARG_TYPE_Result"), arg("NumberReturned", "A_ARG_TYPE_Count"), arg("TotalMatches", "A_ARG_TYPE_Count"), arg("UpdateID", "A_ARG_TYPE_UpdateID"),
	}
	return &upnp.Service{
		Name: "directory", Type: "urn:schemas-upnp-org:service:ContentDirectory:1", ID: "urn:upnp-org:serviceId:ContentDirectory",
		State: func() []gena.Property {
			s.mu.Lock()
			defer s.mu.Unlock()
			return []gena.Property{{Name: "SystemUpdateID", Value: strconv.FormatUint(uint64(s.update), 10)}}
		},
		Variables: []upnp.Variable{
			{Name: "SearchCapabilities", Type: "string"},
			{Name: "SortCapabilities", Type: "string"},
			{Name: "SystemUpdateID", Type: "ui4", Evented: true},
			{Name: "A_ARG_TYPE_ObjectID", Type: "string"},
			{Name: "A_ARG_TYPE_Result", Type: "string"},
			{Name: "A_ARG_TYPE_SearchCriteria", Type: "string"},
			{Name: "A_ARG_TYPE_BrowseFlag", Type: "string", Allowed: []string{"BrowseMetadata", "BrowseDirectChildren"}},
			{Name: "A_ARG_TYPE_Filter", Type: "string"},
			{Name: "A_ARG_TYPE_SortCriteria", Type: "string"},
			{Name: "A_ARG_TYPE_Index", Type: "ui4"},
			{Name: "A_ARG_TYPE_Count", Type: "ui4"},
			{Name: "A_ARG_TYPE_UpdateID", Type: "ui4"},
		},
		Actions: []upnp.Action{
			{Name: "GetSearchCapabilities", Out: []upnp.Argument{arg("SearchCaps", "SearchCapabilities")}, Do: same("SearchCaps", searchable)},
			{Name: "GetSortCapabilities", Out: []upnp.Argument{arg("SortCaps", "SortCapabilities")}, Do: same("SortCaps", "")},
			{Name: "GetSystemUpdateID", Out: []upnp.Argument{arg("Id", "SystemUpdateID")}, Do: s.systemUpdate},
			{Name: "Browse", In: append([]upnp.Argument{arg("ObjectID", "A_ARG_TYPE_ObjectID"), arg("BrowseFlag", "A_ARG_TYPE_BrowseFlag")}, page...), Out: result, Do: s.browse},
			{Name: "Search", In: append([]upnp.Argument{arg("ContainerID", "A_ARG_TYPE_ObjectID"), arg("SearchCriteria", "A_ARG_TYPE_SearchCriteria")}, page...), Out: result, Do: s.search},
		},
	}
}

func (s *Server) systemUpdate(ctx context.Context, _ map[string]string) (map[string]string, error) {
	if _, err := s.note(ctx); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]string{"Id": strconv.FormatUint(uint64(s.update), 10)}, nil
}

// maxPage bounds the objects of one answer. A request for all of them gets as many; the total says that there are more
// (section 2.7.4.2).
const maxPage = 500

// page is what of a list is asked for.
type page struct{ start, count int }

func pageOf(in map[string]string) page {
	start, _ := strconv.Atoi(in["StartingIndex"]) // it is a number: that was checked
	count, _ := strconv.Atoi(in["RequestedCount"])
	if count <= 0 || count > maxPage {
		count = maxPage
	}
	return page{min(max(start, 0), 1<<30), count}
}

// answer is a page of objects, as Browse and Search have it. The criterion of a sort is not heeded: that there is none was
// said, and those who ask all the same had rather have a list than none.
func (s *Server) answer(objects []didl.Object, total int) map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return map[string]string{
		"Result": didl.Write(objects), "NumberReturned": strconv.Itoa(len(objects)), "TotalMatches": strconv.Itoa(total),
		"UpdateID": strconv.FormatUint(uint64(s.update), 10),
	}
}

// browse answers with an object, or with what is in it (section 2.7.4).
func (s *Server) browse(ctx context.Context, in map[string]string) (map[string]string, error) {
	sh, err := s.look(ctx)
	if err != nil {
		return nil, err
	}
	v := view{s, sh, ctx}
	if in["BrowseFlag"] == "BrowseMetadata" {
		o, err := v.object(in["ObjectID"])
		if err != nil {
			return nil, notFound(err)
		}
		return s.answer([]didl.Object{o}, 1), nil
	}
	objects, total, err := v.children(in["ObjectID"], pageOf(in))
	if err != nil {
		return nil, notFound(err)
	}
	return s.answer(objects, total), nil
}

// newConnection describes ConnectionManager:1 of the one that hands out.
func (s *Server) newConnection() *upnp.Service {
	return upnp.ConnectionManager(sources(), "", func(_ context.Context, in map[string]string) (map[string]string, error) {
		if in["ConnectionID"] != "0" {
			return nil, &soap.Fault{Code: 706, Text: "Invalid connection reference"}
		}
		return map[string]string{
			"RcsID": "-1", "AVTransportID": "-1", "ProtocolInfo": "", "PeerConnectionManager": "", "PeerConnectionID": "-1",
			"Direction": "Output", "Status": "OK",
		}, nil
	})
}
