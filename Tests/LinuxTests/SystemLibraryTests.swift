import CNftables
import Testing

/// libnftnl is linked from the start, for stages that act in the kernel; this shows that its module map and headers fit.
@Suite struct SystemLibraryTests {
    @Test func `libnftnl holds the name of a table`() {
        let table = unsafe nftnl_table_alloc()
        defer { unsafe nftnl_table_free(table) }
        unsafe nftnl_table_set_str(table, UInt16(NFTNL_TABLE_NAME.rawValue), "fullbore-edge-1")
        let name = unsafe nftnl_table_get_str(table, UInt16(NFTNL_TABLE_NAME.rawValue))
        #expect(unsafe name.map { unsafe String(cString: $0) } == "fullbore-edge-1")
    }
}
