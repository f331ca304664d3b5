package raspberrypi_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
)

// node is a node of a flattened device tree.
type node struct {
	properties map[string][]byte
	children   map[string]*node
}

// parseTree reads a flattened device tree (Devicetree Specification 0.4, chapter 5).
func parseTree(b []byte) (*node, error) {
	be := binary.BigEndian
	if len(b) < 40 || be.Uint32(b) != 0xd00dfeed {
		return nil, fmt.Errorf("no device tree")
	}
	block, names := b[be.Uint32(b[8:]):], b[be.Uint32(b[12:]):]
	stack := []*node{{children: map[string]*node{}}}
	for {
		token := be.Uint32(block)
		block = block[4:]
		switch token {
		case 1: // a node begins
			name, _, _ := bytes.Cut(block, []byte{0})
			block = block[(len(name)+4)&^3:]
			n := &node{properties: map[string][]byte{}, children: map[string]*node{}}
			stack[len(stack)-1].children[string(name)] = n
			stack = append(stack, n)
		case 2: // a node ends
			stack = stack[:len(stack)-1]
		case 3: // a property
			size, at := be.Uint32(block), be.Uint32(block[4:])
			name, _, _ := bytes.Cut(names[at:], []byte{0})
			stack[len(stack)-1].properties[string(name)] = block[8 : 8+size]
			block = block[8+(size+3)&^3:]
		case 4: // nothing
		case 9: // the end
			return stack[0].children[""], nil
		default:
			return nil, fmt.Errorf("token %d", token)
		}
	}
}

// get returns the node at a path, or nil.
func (n *node) get(path ...string) *node {
	for _, name := range path {
		if n == nil {
			return nil
		}
		n = n.children[name]
	}
	return n
}

// strings returns a property's list of strings.
func (n *node) strings(property string) []string {
	if n == nil {
		return nil
	}
	return strings.FieldsFunc(string(n.properties[property]), func(r rune) bool { return r == 0 })
}

// walk visits n and everything below it.
func (n *node) walk(visit func(name string, n *node)) {
	for name, c := range n.children {
		visit(name, c)
		c.walk(visit)
	}
}
