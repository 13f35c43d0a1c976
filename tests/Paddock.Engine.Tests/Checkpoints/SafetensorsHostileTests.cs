using System.Buffers.Binary;
using System.Text;
using Paddock.Engine.Checkpoints;

namespace Paddock.Engine.Tests.Checkpoints;

public sealed class SafetensorsHostileTests : IDisposable
{
    private const string Good = """{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},"mask":{"dtype":"BOOL","shape":[4],"data_offsets":[8,12]}}""";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,16]}}""", 12, "ends at byte 16 of 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", 12, "begin at 8 and end before it")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}""", 12, "whole numbers of 0 or more, not -8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8.0]}}""", 8, "whole numbers of 0 or more, not 8.0")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", 8, "list of two byte offsets")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,99999999999999999999]}}""", 8, "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}""", 12, "tensor 'b' begins at byte 4 of the data where 8 was expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}""", 12, "tensor 'b' begins at byte 8 of the data where 4 was expected")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 12, "end at byte 8 of the data but the file has 12")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", 8, "F32 [3] needs 12 bytes but has 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647],"data_offsets":[0,8]}}""", 8, "exceeds 2^63")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2147483647,2147483647,2147483647,0],"data_offsets":[0,0]}}""", 0, "exceeds 2^63")]
    [InlineData("""{"a":{"dtype":"U64","shape":[2147483647,2147483647,2],"data_offsets":[0,8]}}""", 8, "needs 73786976226118729744 bytes but has 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", 8, "from 0 to 2^31 - 1, not -2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4294967298],"data_offsets":[0,8]}}""", 8, "from 0 to 2^31 - 1")]
    [InlineData("""{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}""", 8, "'shape' must be a list")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}""", 8, "is stored as 'F8_E4M3'")]
    [InlineData("""{"a":{"dtype":7,"shape":[8],"data_offsets":[0,8]}}""", 8, "key 'dtype' must be text, not 7")]
    [InlineData("""{"a":{"shape":[8],"data_offsets":[0,8]}}""", 8, "key 'dtype' is missing")]
    [InlineData("""{"a":[]}""", 0, "must be an object, not a list")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not valid JSON: Duplicate property 'a'")]
    [InlineData("""[]""", 0, "must be an object, not a list")]
    [InlineData("""{"\ud800":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", 8, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"\ud800","shape":[2],"data_offsets":[0,8]}}""", 8, "not valid JSON")]
    [InlineData("{\"a\":\u0001}", 0, "not valid JSON")]
    public void A_header_that_breaks_the_format_is_one_clear_error(string header, int dataBytes, string message)
    {
        string path = _folder.Write("m.safetensors", Bytes(header, dataBytes));
        BadInputException e = Assert.Throws<BadInputException>(() => SafetensorsFile.Open(path));
        Assert.StartsWith(path, e.Message, StringComparison.Ordinal);
        Assert.Contains(message, e.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ulong.MaxValue, "claims 18446744073709551615 bytes, more than")]
    [InlineData(1UL << 63, "more than the 100000000 allowed")]
    [InlineData(99_999_999UL, "claims 99999999 bytes but the file has")]
    [InlineData(0UL, "not valid JSON")]
    public void A_header_length_is_compared_with_the_file(ulong length, string message)
    {
        byte[] bytes = Bytes(Good, 12);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, length);
        string path = _folder.Write("m.safetensors", bytes);
        Assert.Contains(message, Assert.Throws<BadInputException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Nested_json_is_bounded()
    {
        string path = _folder.Write("m.safetensors", Bytes("{\"a\":" + new string('[', 200_000) + new string(']', 200_000) + "}", 0));
        Assert.Contains("depth", Assert.Throws<BadInputException>(() => SafetensorsFile.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_files_folders_and_empty_files_are_clear_errors()
    {
        Assert.Contains("cannot be opened", Assert.Throws<BadInputException>(() => SafetensorsFile.Open(_folder["none"])).Message, StringComparison.Ordinal);
        Assert.Contains("cannot be opened", Assert.Throws<BadInputException>(() => SafetensorsFile.Open(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Contains("only 0 bytes", Assert.Throws<BadInputException>(() => SafetensorsFile.Open(_folder.Write("empty", ""))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Whole_numbers_are_accepted_and_not_listed()
    {
        using SafetensorsFile file = SafetensorsFile.Open(_folder.Write("m.safetensors", Bytes(Good, 12)));
        Assert.Equal(["a"], file.Tensors.Keys);
        Assert.Contains("no tensor 'mask'", Assert.Throws<BadInputException>(() => file.Raw("mask").Length).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => file.Read("a", new float[3]));
    }

    [Fact]
    public void A_file_cut_at_any_byte_is_bad_input()
    {
        byte[] whole = Bytes(Good, 12);
        for (int length = 0; length < whole.Length; length++)
        {
            string path = _folder.Write("cut", whole[..length]);
            Assert.Throws<BadInputException>(() => SafetensorsFile.Open(path));
        }
    }

    [Fact]
    public void A_file_with_any_byte_changed_opens_or_is_bad_input()
    {
        byte[] whole = Bytes(Good, 12);
        for (int i = 0; i < whole.Length; i++)
            foreach (byte change in (byte[])[0x01, 0x10, 0x80, 0xFF])
            {
                byte[] changed = [.. whole];
                changed[i] ^= change;
                OpenAndReadAll(_folder.Write("changed", changed));
            }
    }

    [Theory]
    [InlineData("""{"weight_map":{"a":"../m.safetensors"}}""", "must be the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":"/etc/passwd"}}""", "must be the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":".."}}""", "must be the name of a file in the same folder")]
    [InlineData("""{"weight_map":{"a":7}}""", "not 7")]
    [InlineData("""{"weight_map":[]}""", "key 'weight_map' must be an object")]
    [InlineData("""{}""", "key 'weight_map' must be an object")]
    [InlineData("""{"weight_map":{"a":"none.safetensors"}}""", "none.safetensors: cannot be opened")]
    [InlineData("""{"weight_map":{"b":"m.safetensors"}}""", "tensor 'b' is not in m.safetensors")]
    [InlineData("""{"weight_map":{"a":"m.safetensors","a":"m.safetensors"}}""", "Duplicate property 'a'")]
    public void A_bad_index_is_one_clear_error(string index, string message)
    {
        _folder.Write("m.safetensors", Bytes(Good, 12));
        string path = _folder.Write("model.safetensors.index.json", index);
        Assert.Contains(message, Assert.Throws<BadInputException>(() => SafetensorsShards.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_index_may_list_tensors_that_are_not_floats()
    {
        _folder.Write("m.safetensors", Bytes(Good, 12));
        using SafetensorsShards shards = SafetensorsShards.Open(_folder.Write("i.json", """{"weight_map":{"a":"m.safetensors","mask":"m.safetensors"}}"""));
        Assert.Equal(["a"], shards.Tensors.Keys);
    }

    [Fact]
    public void Weights_that_are_not_numbers_load_and_are_reported_by_name_and_count()
    {
        float[] values = [1, float.NaN, 3, float.PositiveInfinity];
        SafetensorsWriter.Write(_folder["m.safetensors"], [SafetensorsWriterTests.Tensor("model.norm.weight", [4], values)], TensorFormat.Float32);
        using SafetensorsFile file = SafetensorsFile.Open(_folder["m.safetensors"]);
        float[] read = new float[4];
        file.Read("model.norm.weight", read);
        BadInputException e = Assert.Throws<BadInputException>(() => WeightCheck.CheckFinite(file.Place, "model.norm.weight", read));
        Assert.Contains("tensor 'model.norm.weight' has 2 of 4 values that are NaN or infinite", e.Message, StringComparison.Ordinal);
        WeightCheck.CheckFinite(file.Place, "empty", []);
        WeightCheck.CheckFinite(file.Place, "fine", [1, -0f, float.MaxValue, float.Epsilon]);
    }

    public void Dispose() => _folder.Dispose();

    private static void OpenAndReadAll(string path)
    {
        try
        {
            using SafetensorsFile file = SafetensorsFile.Open(path);
            foreach (TensorInfo tensor in file.Tensors.Values)
                file.Read(tensor.Name, new float[tensor.Count]);
        }
        catch (BadInputException)
        {
        }
    }

    private static byte[] Bytes(string header, int dataBytes)
    {
        byte[] text = Encoding.UTF8.GetBytes(header), bytes = new byte[8 + text.Length + dataBytes];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, (ulong)text.Length);
        text.CopyTo(bytes, 8);
        return bytes;
    }
}
