package drm

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Properties are those of one object, by name.
type Properties map[string]Property

// Property is one of an object's settings.
type Property struct {
	ID        uint32
	Value     uint64
	Immutable bool
	Enum      map[string]uint64 // the values it may have, by name; nil: it is no enumeration
}

// property is what all objects' properties of one ID have in common.
type property struct {
	name      string
	immutable bool
	enum      map[string]uint64
}

// Flags of a property (drm_mode.h, DRM_MODE_PROP_).
const (
	propertyImmutable = 1 << 2
	propertyEnums     = 1 << 3
)

// ReadProperties reads an object's properties and their values.
func (c *Card) ReadProperties(object uint32, kind Object) (Properties, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	o := objectProperties{object: object, kind: uint32(kind)}
	if err := do(c, getProperties, &o); err != nil {
		return nil, fmt.Errorf("properties: %w", err)
	}
	ids, values := make([]uint32, o.count), make([]uint64, o.count)
	o.properties, o.values = pointer(&pin, ids), pointer(&pin, values)
	if err := do(c, getProperties, &o); err != nil {
		return nil, fmt.Errorf("properties: %w", err)
	}
	all := make(Properties, len(ids))
	for i, id := range ids[:min(int(o.count), len(ids))] {
		p, err := c.describe(id)
		if err != nil {
			return nil, fmt.Errorf("property %d: %w", id, err)
		}
		all[p.name] = Property{ID: id, Value: values[i], Immutable: p.immutable, Enum: p.enum}
	}
	return all, nil
}

// describe reads what a property is, once.
func (c *Card) describe(id uint32) (property, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if p, ok := c.properties[id]; ok {
		return p, nil
	}
	var pin runtime.Pinner
	defer pin.Unpin()
	v := modeProperty{id: id}
	if err := do(c, getProperty, &v); err != nil {
		return property{}, err
	}
	p := property{name: text(v.name[:]), immutable: v.flags&propertyImmutable != 0}
	if v.flags&propertyEnums != 0 {
		enums := make([]propertyEnum, v.enumCount)
		v = modeProperty{id: id, enumCount: v.enumCount, enums: pointer(&pin, enums)}
		if err := do(c, getProperty, &v); err != nil {
			return property{}, err
		}
		p.enum = make(map[string]uint64)
		for _, e := range enums[:min(int(v.enumCount), len(enums))] {
			p.enum[text(e.name[:])] = e.value
		}
	}
	c.properties[id] = p
	return p, nil
}

// Blob reads the bytes that a property's value names, such as a connector's "EDID".
func (c *Card) Blob(id uint32) ([]byte, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	b := modeBlob{id: id}
	if err := do(c, getBlob, &b); err != nil {
		return nil, fmt.Errorf("blob %d: %w", id, err)
	}
	data := make([]byte, b.length)
	b.data = pointer(&pin, data)
	if err := do(c, getBlob, &b); err != nil {
		return nil, fmt.Errorf("blob %d: %w", id, err)
	}
	return data[:min(int(b.length), len(data))], nil
}

// ModeBlob makes a mode a value that the property "MODE_ID" takes. Give it back by [Card.DestroyBlob].
func (c *Card) ModeBlob(m ModeInfo) (uint32, error) {
	var pin runtime.Pinner
	defer pin.Unpin()
	b := modeCreateBlob{data: pointer(&pin, []ModeInfo{m}), length: uint32(unsafe.Sizeof(m))}
	if err := do(c, createBlob, &b); err != nil {
		return 0, fmt.Errorf("create blob: %w", err)
	}
	return b.id, nil
}

// DestroyBlob gives a blob back. A value that is in force outlives it.
func (c *Card) DestroyBlob(id uint32) error {
	if err := do(c, destroyBlob, &id); err != nil {
		return fmt.Errorf("destroy blob: %w", err)
	}
	return nil
}
