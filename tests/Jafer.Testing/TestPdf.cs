using System.IO.Compression;
using System.Text;

namespace Jafer.Testing;

/// <summary>Files with the outline of a PDF.</summary>
public static class TestPdf
{
    /// <summary>Makes a file.</summary>
    /// <param name="entry">Entry of an object that stands outside.</param>
    /// <param name="packed">Entry of an object in an object stream; null for no such stream.</param>
    /// <param name="filter">How that stream is packed.</param>
    /// <param name="streamLength">Random bytes in a stream.</param>
    /// <param name="seed">Seed of these.</param>
    public static byte[] Make(string entry = "", string? packed = null, string filter = "/Filter /FlateDecode", int streamLength = 100, int seed = 1)
    {
        using var file = new MemoryStream();
        Write($"%PDF-1.7\n%\u00e2\u00e3\u00cf\u00d3\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R {entry} >>\nendobj\n3 0 obj\n<< /Length {streamLength} >>\nstream\n");
        var bytes = new byte[streamLength];
        new Random(seed).NextBytes(bytes);
        file.Write(bytes);
        Write("\nendstream\nendobj\n");
        if (packed is not null)
        {
            Write($"5 0 obj\n<< /Type /ObjStm /N 1 /First 4 {filter} >>\nstream\r\n");
            using (var deflate = new ZLibStream(file, CompressionLevel.Fastest, leaveOpen: true))
            {
                deflate.Write(Encoding.Latin1.GetBytes($"7 0 << {packed} >>"));
            }

            Write("\r\nendstream\nendobj\n");
        }

        Write("xref\n0 1\ntrailer\n<< /Size 8 /Root 1 0 R >>\nstartxref\n9\n%%EOF\n");
        return file.ToArray();

        void Write(string text) => file.Write(Encoding.Latin1.GetBytes(text));
    }
}
