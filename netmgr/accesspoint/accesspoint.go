// Package accesspoint makes
package accesspoint
