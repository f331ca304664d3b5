package fat

import (
	"fmt"
)

// Cluster counts that tell the formats apart, and the distance that the spec advises to keep from them, because other
// people's arithmetic is off by a few.
const (
	minFAT16 = 4085
	minFAT32 = 65525
	maxFAT32 = 0x0ffffff5
	margin   = 16
)

// geometry is where the parts of a volume are. Sizes and positions are in sectors of sector bytes.
type geometry struct {
	bits        int // 16 or 32
	sector      int64
	total       int64
	reserved    int64
	copies      int64 // of the table
	table       int64 // sectors of one table
	root        int64 // sectors of FAT16's root directory; FAT32 has it in clusters
	perCluster  int64
	clusters    uint32 // of data; they are numbered from 2
	rootCluster uint32 // FAT32's
	infoSector  int64  // FAT32's FSInfo; 0: none
}

// dataStart returns the sector of cluster 2.
func (g *geometry) dataStart() int64 { return g.reserved + g.copies*g.table + g.root }

// offset returns where a cluster starts, in bytes.
func (g *geometry) offset(cluster uint32) int64 {
	return (g.dataStart() + int64(cluster-2)*g.perCluster) * g.sector
}

// clusterSize returns the bytes of one cluster.
func (g *geometry) clusterSize() int64 { return g.perCluster * g.sector }

// entry returns the bytes of one entry of the table.
func (g *geometry) entry() int64 { return int64(g.bits) / 8 }

// layOut chooses the geometry of a new volume: the spec's cluster size for its size, two tables, and reserved sectors
// padded so that clusters lie on multiples of 4 KiB or of their own size, as cards like it.
func layOut(f Format) (geometry, error) {
	if f.Size <= 0 || f.Size%sectorSize != 0 || f.Start%sectorSize != 0 || f.Start < 0 {
		return geometry{}, fmt.Errorf("volume of %d bytes at %d: not whole sectors of %d", f.Size, f.Start, sectorSize)
	}
	g := geometry{bits: f.Bits, sector: sectorSize, total: f.Size / sectorSize, copies: 2}
	switch f.Bits {
	case 16:
		g.reserved, g.root = 1, rootEntries*entrySize/sectorSize
	case 32:
		g.reserved, g.rootCluster, g.infoSector = 32, 2, 1
	default:
		return geometry{}, fmt.Errorf("FAT%d: only FAT16 and FAT32 can be made", f.Bits)
	}
	if g.total > 1<<32-1 {
		return geometry{}, fmt.Errorf("volume of %d bytes: FAT counts at most 2^32-1 sectors", f.Size)
	}
	g.perCluster = perCluster(f.Bits, g.total)
	g.fit()
	align := max(g.perCluster, 4096/sectorSize)
	g.reserved += (align - g.dataStart()%align) % align
	g.fit()
	g.reserved += (align - g.dataStart()%align) % align // the tables may have shrunk by a sector
	g.countClusters()

	low, high := uint32(minFAT16+margin), uint32(minFAT32-margin)
	if f.Bits == 32 {
		low, high = minFAT32+margin, maxFAT32
	}
	if g.clusters < low || g.clusters > high {
		return geometry{}, fmt.Errorf("volume of %d bytes: %d clusters of %d bytes, FAT%d has %d to %d", f.Size, g.clusters, g.clusterSize(), f.Bits, low, high)
	}
	return g, nil
}

// perCluster is the spec's table of cluster sizes, by volume size in sectors.
func perCluster(bits int, total int64) int64 {
	sizes := []struct{ sectors, per int64 }{{8400, 1}, {32680, 2}, {262144, 4}, {524288, 8}, {1048576, 16}, {2097152, 32}}
	if bits == 32 {
		sizes = []struct{ sectors, per int64 }{{532480, 1}, {16777216, 8}, {33554432, 16}, {67108864, 32}}
	}
	for _, s := range sizes {
		if total <= s.sectors {
			return s.per
		}
	}
	return 64
}

// fit sets the tables' size to what the clusters beside them need.
func (g *geometry) fit() {
	g.table = 1
	for {
		g.countClusters()
		need := (int64(g.clusters+2)*g.entry() + g.sector - 1) / g.sector
		if need <= g.table {
			return
		}
		g.table = need
	}
}

func (g *geometry) countClusters() {
	g.clusters = uint32(max(0, g.total-g.dataStart()) / g.perCluster)
}
