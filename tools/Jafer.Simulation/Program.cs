Console.WriteLine("to be written");
