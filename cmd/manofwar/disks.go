package main

import (
	"context"
	"encoding/json"
	"iter"

	initapi "manofwar/init/api"
	"manofwar/internal/ipc"
	"manofwar/services/catalog"
)

// disks tells the catalog of PID 1's mounted media disks.
type disks struct{ ipc *ipc.Client }

// Watch implements [catalog.Disks].
func (d disks) Watch(ctx context.Context) iter.Seq2[[]catalog.Disk, error] {
	return func(yield func([]catalog.Disk, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		events, err := d.ipc.Follow(ctx, "/events")
		var now []initapi.Disk
		if err == nil {
			err = d.ipc.Get(ctx, "/disks", &now)
		}
		if err != nil || !yield(mounted(now), nil) {
			if err != nil {
				yield(nil, err)
			}
			return
		}
		for ev, err := range events {
			if ev.Kind != initapi.EventDisks && err == nil {
				continue
			}
			if err == nil {
				err = json.Unmarshal(ev.Data, &now)
			}
			if !yield(mounted(now), err) || err != nil {
				return
			}
		}
	}
}

// mounted leaves out the disks that are not.
func mounted(all []initapi.Disk) []catalog.Disk {
	list := []catalog.Disk{}
	for _, d := range all {
		if d.Path != "" {
			list = append(list, catalog.Disk{ID: d.ID, Label: d.Name, Path: d.Path})
		}
	}
	return list
}
